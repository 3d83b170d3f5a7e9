#!/usr/bin/env bash
# Runs the browser tests; says loudly when what they need is not there.
set -euo pipefail
cd "$(dirname "$0")"
for need in node npm /usr/bin/chromium; do
    command -v "$need" >/dev/null || { echo "SKIPPED: browser tests: $need is not installed"; exit 0; }
done
export PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1
if [ ! -d node_modules/playwright-core ]; then
    npm ci --no-audit --no-fund --silent ||
        { echo "SKIPPED: browser tests: the npm registry cannot be reached"; exit 0; }
fi
exec node --test --test-concurrency=1 page.test.mjs words.test.mjs review.test.mjs
