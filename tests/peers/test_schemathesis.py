"""The live service held against its own /openapi.json by schemathesis: every route, what is right
and what is wrong, zero failures. Its metrics are read by Prometheus' own client too.

usage: test_schemathesis.py VISLANG MAKE_TINY_SEER MAKE_TINY_SPACE; schemathesis and prometheus_client come from
.venv or the environment that VISLANG_PEERS names (scripts/deps.sh --peers). Exit status 77:
skipped.
"""
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

sys.path.insert(0, os.path.join(ROOT, "scripts"))
import peers  # noqa: E402

try:
    import schemathesis  # noqa: F401
    from prometheus_client.parser import text_string_to_metric_families
except ImportError:
    peers.become("schemathesis", "prometheus_client")

sys.path.insert(0, os.path.join(ROOT, "tests", "api"))
from server import Server  # noqa: E402

EXAMPLES = os.environ.pop("VISLANG_SCHEMATHESIS_EXAMPLES", "15")


def hold(server, folder):
    """Runs schemathesis; its output and exit status."""
    command = [sys.executable, "-B", "-c", "from schemathesis.cli import schemathesis; schemathesis()",
               "--config-file", os.path.join(HERE, "schemathesis.toml"), "run",
               f"http://127.0.0.1:{server.port}/openapi.json", "-H", f"X-API-Key: {server.key}",
               "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", EXAMPLES,
               "--continue-on-failure", "--seed", "1", "--generation-database", "none", "--no-color",
               "--generation-with-security-parameters", "false", "--suppress-health-check", "all"]
    environment = {**os.environ, "SCHEMATHESIS_HOOKS": os.path.join(HERE, "schemathesis_hooks.py")}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True,
                            timeout=900)
    return result.stdout + result.stderr, result.returncode


def check_metrics(server):
    """After all of that, what is counted is still in Prometheus' format."""
    response = server.get("/metrics")
    assert response.status == 200, "the key that schemathesis called with was good to the end"
    families = {f.name: f for f in text_string_to_metric_families(response.body.decode())}
    count = sum(s.value for s in families["http_requests"].samples)
    assert count > 500, f"{count} requests were counted"
    in_histogram = sum(s.value for s in families["http_request_duration_seconds"].samples
                       if s.name.endswith("_count"))
    assert abs(in_histogram - count) <= 1, (in_histogram, count)  # this scrape is one of them
    for name in ("vislang_dependency_up", "vislang_auth_failures", "process_open_fds"):
        assert families[name].samples, name
    failed = [s for s in families["http_requests"].samples if s.labels["status"].startswith("5")]
    assert not failed, failed


def main(program, make_tiny_seer, make_tiny_space):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([make_tiny_seer, folder + "/tiny.gguf", "0",
                        os.path.join(ROOT, "samples", "photos"), folder + "/index"], check=True)
        subprocess.run([make_tiny_space, folder + "/tiny.bin"], check=True)
        server = Server(program, admin=True, model_path=folder + "/tiny.gguf",
                        alignment_space=folder + "/tiny.bin",
                        retrieve_index=folder + "/index", ocr_record="store",
                        login_limit_per_minute=0)
        try:
            text, status = hold(server, folder)
            print(text)
            assert status == 0, f"schemathesis ends with {status}"
            assert "ERROR" not in text
            check_metrics(server)
        finally:
            code = server.stop()
        assert code == 0, f"the service ends with {code}"


if __name__ == "__main__":
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
