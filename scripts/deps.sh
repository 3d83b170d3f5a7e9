#!/usr/bin/env bash
# Installs what VisLang needs from Debian's packages: nothing when all of it is there already.
#   scripts/deps.sh           to build, run and test
#   scripts/deps.sh --train   also fonts and word lists that the reader's lines are made from
#   scripts/deps.sh --peers   also a Python virtual environment (.venv, or the folder that
#                             VISLANG_PEERS names) with the programs that benchmarks and
#                             tests compare with
#   scripts/deps.sh --peers torch   PyTorch too, which is large (tools/seer_torch.py)
set -euo pipefail
cd "$(dirname "$0")/.."

packages=(
    # build
    build-essential pkg-config cmake ninja-build clang clang-format libclang-rt-14-dev llvm-14
    # libraries
    libcjson-dev libyaml-dev zlib1g-dev libssl-dev libseccomp-dev libicu-dev
    libjpeg62-turbo-dev libpng-dev libwebp-dev libtiff-dev libleptonica-dev libtesseract-dev
    libcairo2-dev libpango1.0-dev libmicrohttpd-dev libcurl4-openssl-dev libdnnl-dev libopenmpi-dev
    libsqlite3-dev libpq-dev libargon2-dev libhiredis-dev libgnutls28-dev libarchive-dev libxml2-dev
    libstemmer-dev
    liblapacke-dev libopenblas-dev
    # training on several machines
    openmpi-bin
    # programs used while running
    poppler-utils curl jq ocrad gocr
    # language packs
    tesseract-ocr tesseract-ocr-osd tesseract-ocr-eng tesseract-ocr-fra tesseract-ocr-spa
    tesseract-ocr-por tesseract-ocr-ara tesseract-ocr-amh tesseract-ocr-tir tesseract-ocr-swa
    tesseract-ocr-ukr tesseract-ocr-rus tesseract-ocr-mya tesseract-ocr-hin tesseract-ocr-mar
    tesseract-ocr-san tesseract-ocr-urd tesseract-ocr-fas tesseract-ocr-pus tesseract-ocr-ben
    tesseract-ocr-nep tesseract-ocr-khm tesseract-ocr-tam
    tesseract-ocr-script-latn tesseract-ocr-script-arab tesseract-ocr-script-ethi
    tesseract-ocr-script-cyrl tesseract-ocr-script-deva tesseract-ocr-script-mymr
    # fonts that samples are made with
    fonts-noto-core fontconfig
    # tests and benchmarks
    gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user python3-pil python3-numpy
    libcld2-dev libexttextcat-dev libexttextcat-data
    libcmocka-dev openssl libxml2-utils qpdf python3 wrk nghttp2-client libnss-wrapper chromium postgresql redis-server
)
# Node may come from elsewhere than Debian; any version that runs will do.
command -v node >/dev/null && command -v npm >/dev/null || packages+=(nodejs npm)

as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        echo "deps: run as root, or install sudo: $*" >&2
        exit 4
    fi
}

if [ "${1-}" = --train ]; then
    # No fonts here that draw other letters than Unicode says, or pictures of letters only.
    packages+=(
        fonts-noto-extra fonts-noto-ui-core fonts-noto-mono fonts-ipafont-gothic fonts-nanum fonts-wqy-microhei
        fonts-liberation fonts-dejavu
        fonts-freefont-ttf fonts-croscore fonts-crosextra-caladea fonts-crosextra-carlito
        fonts-open-sans fonts-roboto-unhinted fonts-roboto-slab fonts-lato fonts-ebgaramond
        fonts-linuxlibertine fonts-cmu fonts-texgyre fonts-urw-base35 fonts-cantarell
        fonts-courier-prime fonts-gnutypewriter fonts-inter fonts-oldstandard fonts-junicode
        fonts-vollkorn fonts-stix fonts-tuffy fonts-play fonts-quattrocento fonts-yrsa-rasa
        fonts-go fonts-hack fonts-inconsolata fonts-paratype fonts-b612 fonts-clear-sans
        fonts-karla fonts-oxygen fonts-adf-universalis fonts-adf-libris fonts-adf-tribun
        fonts-adf-baskervald fonts-ocr-b fonts-essays1743 fonts-prociono fonts-goudybookletter
        fonts-comic-neue fonts-humor-sans fonts-opendyslexic fonts-tiresias fonts-cabin
        fonts-roadgeek fonts-sil-andika fonts-sil-charis fonts-sil-doulos fonts-sil-gentium
        fonts-sil-gentiumplus fonts-sil-abyssinica fonts-sil-alkalami fonts-sil-annapurna
        fonts-sil-awami-nastaliq fonts-sil-harmattan fonts-sil-lateef fonts-sil-mondulkiri
        fonts-sil-mondulkiri-extra fonts-sil-padauk fonts-sil-scheherazade fonts-hosny-amiri
        fonts-hosny-thabit fonts-arabeyes fonts-kacst fonts-kacst-one fonts-farsiweb
        fonts-freefarsi fonts-nafees fonts-paktype fonts-unikurdweb fonts-lemonada
        fonts-senamirmir-washra fonts-lohit-deva fonts-lohit-deva-nepali
        fonts-lohit-deva-marathi fonts-gargi fonts-nakula fonts-sahadeva fonts-sarai
        fonts-samyak-deva fonts-deva-extra fonts-aksharyogini2 fonts-beng-extra
        fonts-lohit-beng-bengali fonts-lohit-beng-assamese fonts-khmeros fonts-lohit-taml
        fonts-lohit-taml-classical fonts-samyak-taml fonts-meera-inimai
        # words of scripts that have little running text
        iso-codes hunspell-ar hunspell-vi
    )
fi

missing=()
for package in "${packages[@]}"; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
done
if [ ${#missing[@]} -gt 0 ]; then
    echo "deps: installing ${missing[*]}"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq update
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends \
        "${missing[@]}" >/dev/null
fi

if [ "${1-}" = --peers ]; then
    dpkg-query -W -f '${db:Status-Status}' python3-venv 2>/dev/null | grep -q '^installed$' ||
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y python3-venv >/dev/null
    peers=${VISLANG_PEERS:-.venv}
    [ -x "$peers/bin/pip" ] || /usr/bin/python3 -m venv "$peers"
    "$peers/bin/pip" install --quiet pytesseract gguf safetensors numpy pyyaml pillow \
        rapidocr-onnxruntime 'moto[server]' boto3 schemathesis prometheus_client \
        fastapi uvicorn httptools uvloop python-multipart datasketch \
        datasets webdataset pycocotools mlcroissant py3langid krippendorff fasttext-wheel galechurch nltk
    [ "${2-}" != torch ] || "$peers/bin/pip" install --quiet torch
fi
