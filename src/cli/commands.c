/* commands.c — the table of commands, and all that is made from it: help, man page, shell
 * completion. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

const cli_flag cli_common_flags[] = {
    {"config", 'c', "FILE", "YAML file of settings (docs/configuration.md)"},
    {"set", 's', "NAME=VALUE", "one setting, over file and environment; may be repeated"},
    {"log-level", 0, "LEVEL", "debug, info, warn or error (default: warn; serve: info)"},
    {"help", 'h', NULL, "show the command's examples and options"},
    {0},
};

static const cli_flag predict_flags[] = {
    {"instruction", 'i', "TEXT", "what to find out (default: describe the document)"},
    {"languages", 'l', "LANGS", "packs or ISO 639 codes, e.g. amh+en (default: detected)"},
    {"max-pages", 0, "N", "read at most N pages of each file (default: 20)"},
    {"model", 'm', "FILE", "the picture model (default: the bundled one)"},
    {"redact", 0, NULL, "personal data as [name], [phone], … (docs/privacy.md)"},
    {"json", 'j', NULL, "one JSON object a file (docs/formats.md)"},
    {0},
};

static const cli_flag admin_flags[] = {
    {"role", 0, "ROLE", "viewer, annotator, operator or admin (default: viewer)"},
    {"password-file", 0, "FILE",
     "first line of FILE; else asked for, or read from standard input"},
    {"days", 0, "N", "apikey create: it expires after N days (default: never)"},
    {"after", 0, "N", "audit list: entries after number N"},
    {"output", 'o', "FILE", "subject export: the ZIP that is written"},
    {"json", 'j', NULL, "lists as one JSON object a line"},
    {0},
};

static const cli_flag db_flags[] = {
    {"to", 0, "N", "migrate: up to migration N; rollback: down to N"},
    {"keep-days", 0, "N",
     "backup to a folder: remove copies older than N days, 0: none (default: 30)"},
    {"replace", 0, NULL, "restore: over what the database holds"},
    {"json", 'j', NULL, "print what was done as JSON"},
    {0},
};

static const cli_flag caption_flags[] = {
    {"language", 'l', "CODE", "language of the caption, ISO 639-1 (default: en)"},
    {"beams", 'b', "N", "width of the search for words, 1 to 16 (default: 12)"},
    {"sample", 0, NULL, "draw words by chance instead: another seed, another caption"},
    {"temperature", 0, "T", "with --sample: below 1 the likelier words (default: 0.8)"},
    {"top-p", 0, "P", "with --sample: only the likeliest words of this share (default: 0.95)"},
    {"seed", 0, "S", "with --sample: the same seed gives the same caption (default: 1)"},
    {"page", 'p', "N", "page of a PDF or TIFF (default: 1)"},
    {"model", 'm', "FILE", "the picture model (default: the bundled one)"},
    {"json", 'j', NULL, "one JSON object a file (docs/pictures.md)"},
    {0},
};

static const cli_flag ask_flags[] = {
    {"statement", 0, "TEXT", "say whether this is true of the picture, instead of a question"},
    {"page", 'p', "N", "page of a PDF or TIFF (default: 1)"},
    {"model", 'm', "FILE", "the picture model (default: the bundled one)"},
    {"json", 'j', NULL, "one JSON object a file (docs/pictures.md)"},
    {0},
};

static const cli_flag scene_flags[] = {
    {"labels", 0, "SET", "scene, script, orientation or kind (default: scene)"},
    {"page", 'p', "N", "page of a PDF or TIFF (default: 1)"},
    {"model", 'm', "FILE", "the picture model (default: the bundled one)"},
    {"json", 'j', NULL, "one JSON object a file, with every label (docs/pictures.md)"},
    {0},
};

static const cli_flag search_flags[] = {
    {"like", 0, "PICTURE", "find pictures that look like this one, instead of a text"},
    {"language", 'l', "CODE", "language of the text, ISO 639-1 (default: not said)"},
    {"top", 't', "N", "how many pictures to show (default: 10)"},
    {"index", 0, "FILE", "where the index is kept (default: DIR/.vislang-index)"},
    {"rebuild", 0, NULL, "look at every picture again"},
    {"jobs", 'n', "N", "pictures looked at together (default: one per processor)"},
    {"model", 'm', "FILE", "the picture model (default: the bundled one)"},
    {"json", 'j', NULL, "one JSON object (docs/search.md)"},
    {0},
};

static const cli_flag ocr_flags[] = {
    {"format", 'f', "LIST", "text, json, hocr, alto, markdown, pdf, png; several with commas"},
    {"output", 'o', "PATH",
     "a folder, or a file's name for one input (default: standard output)"},
    {"languages", 'l', "LANGS", "packs or ISO 639 codes, e.g. amh+en (default: detected)"},
    {"jobs", 'n', "N", "files read at the same time (default: one per processor)"},
    {"figures", 0, "FOLDER", "keep the pictures on the pages as FOLDER/NAME-PAGE-NUMBER.png"},
    {"explain", 0, NULL, "text, json: what each engine said for every word, and its weight"},
    {"source", 0, "NAME",
     "where the files come from (fax, phone, …): engines are judged apart for each"},
    {"redact", 0, NULL,
     "personal data as [name], [phone], … and black in pictures (docs/privacy.md)"},
    {"correct", 0, NULL,
     "instead: learn from JSON files of --explain whose lines have a \"corrected\" text"},
    {"record", 0, "WHAT",
     "instead: show, export, reset or import the engines' track record (setting ocr_record)"},
    {"resume", 'r', NULL, "leave out what an earlier run into the same folder finished"},
    {"full-names", 0, NULL, "name outputs after the whole file name: scan.png.txt"},
    {"json", 'j', NULL, "print the summary of the run as JSON"},
    {"quiet", 'q', NULL, "no progress bar and no summary"},
    {0},
};

static const cli_flag serve_flags[] = {
    {"host", 0, "ADDRESS", "address to listen on (default: 127.0.0.1)"},
    {"port", 'p', "PORT", "port to listen on; 0 picks a free one (default: 8000)"},
    {"workers", 'w', "N", "requests read at the same time (default: one per processor)"},
    {0},
};

static const cli_flag train_flags[] = {
    {"recipe", 0, "FILE",
     "what to train from (default: the bundled model's, in models/recipes)"},
    {"data", 0, "DIR", "the folder the recipe's files lie in"},
    {"out", 'o', "PATH",
     "the model's file, the folder of seer's run, or the picture of its curves"},
    {"evaluate", 0, NULL, "score the model at --out on the recipe's held-out text instead"},
    {"held-out", 0, "FILE", "langid: write the texts that scores are over there instead"},
    {"json", 'j', NULL, "print the scores as JSON"},
    {0},
};

static const cli_flag harvest_flags[] = {
    {"source", 0, "NAME", "where from (--list-sources); a folder or archive needs none"},
    {"out", 'o', "DIR", "the collection: made when it is not there (docs/harvest.md)"},
    {"lang", 'l', "LIST", "languages, ISO 639: sw,fra"},
    {"country", 0, "LIST", "countries, ISO 3166-1 alpha-3: ken,ssd"},
    {"theme", 0, "LIST", "themes as the source calls them"},
    {"query", 0, "TEXT", "words to search for"},
    {"since", 0, "TIME", "changed since: 2025-01-31 (default: since the last complete run)"},
    {"until", 0, "TIME", "changed until, the day included"},
    {"limit", 0, "N", "at most N records"},
    {"formats", 'f', "LIST", "pdf, html, docx, odt, text, picture, data (default: all)"},
    {"contact", 0, "WHO", "URL or mail address that hosts are told (setting harvest_contact)"},
    {"list-sources", 0, NULL, "print the sources, and what each needs"},
    {"status", 0, NULL, "print what the collection holds, and what failed"},
    {"json", 'j', NULL, "print the report as JSON"},
    {"quiet", 'q', NULL, "no progress line"},
    {0},
};

static const cli_flag dataset_flags[] = {
    {"text", 't', "DIR", "folder of gzipped text to render: plain, or tables (last column)"},
    {"out", 'o', "PATH",
     "a folder for shards of 5,000 lines, or one file ending in .tar; export: a new folder"},
    {"count", 0, "N", "how many lines (default: 1000)"},
    {"seed", 0, "S", "the same seed and count give the same lines (default: 1)"},
    {"scripts", 0, "LIST",
     "latin,arabic=3,…: which scripts, and how often (default: all nine)"},
    {"fonts", 0, "WHICH", "train, held (about one family in ten) or all (default: train)"},
    {"jobs", 'n', "N", "lines made at the same time (default: one per processor)"},
    {"longest", 0, "PX", "leave out lines that are wider at a height of 48 pixels"},
    {"clean", 0, NULL, "rendered only: no blur, noise or other degradation"},
    {"only-text", 0, NULL, "leave out word lists and catalogues that the system has"},
    {"alphabet", 0, "FILE", "make the alphabet of the text and write it there, first"},
    {"list-fonts", 0, NULL, "print the fonts that would be used, and their scripts"},
    {"half", 0, "HALF", "scan-lines: adapt (default), score (never to train on) or all"},
    {"sets", 0, "LIST", "scan-lines: only these sets of the manifest, with commas"},
    {"format", 'f', "FORMAT", "export: imagefolder, jsonl, webdataset, coco or llava"},
    {"splits", 0, "LIST", "export: only of train, validation, test, with commas"},
    {"kinds", 0, "LIST",
     "export: only of pair, text, describe, question, read, language, change, crisis"},
    {"languages", 'l', "LIST", "export: only texts in these, ISO 639-1 or -3, with commas"},
    {"min-quality-score", 0, "S", "export: only items that score so much (0 to 1)"},
    {"shard-bytes", 0, "SIZE", "export: largest tar of webdataset (default: 1GB)"},
    {"recipe", 'r', "FILE", "build: what to make of what (docs/dataset.md)"},
    {"queue", 0, "URL", "build: share the work with others through this database"},
    {"reviewer", 0, "NAME", "review: who looks at items (default: you); may be repeated"},
    {"host", 0, "ADDRESS", "review: where the page is served (default: 127.0.0.1)"},
    {"port", 0, "N", "review: the port of the page (default: that of the last time, if free)"},
    {"language", 0, "L", "review: only items of this language (ISO 639)"},
    {"limit", 0, "N",
     "review: only the first N items; check: so many findings of each kind (default: 10)"},
    {"overlap", 0, "SHARE", "review: of items that two reviewers see (default: 0.2)"},
    {"random", 0, "SHARE", "review: of items that are drawn by chance (default: 0.2)"},
    {"agreement", 0, NULL, "review: print how far reviewers agree (Krippendorff's alpha)"},
    {"fit", 0, NULL, "review: teach the quality model what reviewers said"},
    {"merge", 0, "DATASET", "review: take over what was said of another build or copy of it"},
    {"teach", 0, NULL, "review: teach the record of OCR engines what reviewers said"},
    {"layout", 0, "LAYOUT",
     "check, stats: auto (default), dataset, imagefolder, jsonl, webdataset, coco, vqa, llava"},
    {"html", 0, "FILE", "stats: write a report with charts there"},
    {"json", 'j', NULL, "print what there is to say as JSON"},
    {0},
};

static const cli_flag eval_flags[] = {
    {"task", 0, "LIST",
     "seer: caption, retrieval, vqa, statements, scene, labels (default: all that is there); "
     "align: retrieval (default), lexicon or document"},
    {"model", 'm', "FILE", "seer: the model file (default: the bundled one)"},
    {"limit", 0, "N",
     "only the first N pictures that the tasks concern; ocr: N of each set; align: N pairs"},
    {"baselines", 0, NULL, "seer: score what needs no model, too"},
    {"train", 0, "DIR", "seer: what baselines are learned from; may be repeated"},
    {"details", 0, "FILE",
     "write what was said of each picture (ocr: scan; align: pair) there, a line of JSON each"},
    {"calibrate", 0, "FILE",
     "seer: fit probabilities to this data and write them there instead"},
    {"engine", 'e', "NAME",
     "ocr: score this engine; may be repeated (default: those of the setting ocr_engines)"},
    {"half", 0, "HALF", "ocr: adapt, score (one half of each set's documents) or all"},
    {"sets", 0, "LIST", "ocr: only these sets of the manifest, with commas"},
    {"detect", 0, NULL, "ocr: find languages out instead of taking the manifest's"},
    {"jobs", 'n', "N", "ocr: scans read at the same time (default: 1)"},
    {"src", 0, "LANG", "align: the language of the first side: en"},
    {"tgt", 0, "LANG", "align: the language of the second side: sw"},
    {"space", 0, "FILE", "align: the space of both languages (default: the bundled one)"},
    {"src-vectors", 0, "FILE", "align: vectors of the first language, instead of a space"},
    {"tgt-vectors", 0, "FILE", "align: those of the second, which lie in the same space"},
    {"vocabulary", 0, "N", "align: only the N most frequent words of each language"},
    {"strict", 0, NULL, "align: a line that is no pair is an error, not left out and counted"},
    {"json", 'j', NULL, "print the scores as JSON (docs/eval.md, docs/align.md)"},
    {0},
};

static const cli_flag export_flags[] = {
    {"out", 'o', "FILE", "the model file to write"},
    {"format", 'f', "TYPE", "f32, f16, q8_0, q4_0 or q2_0 (default: q8_0)"},
    {"best", 0, NULL, "the checkpoint with the lowest held-out loss, not the last"},
    {"without", 0, "SET", "leave out a label set that only pretraining needed"},
    {"facts", 0, "FILE", "JSON: version, licence, languages, calibration"},
    {"picture", 0, "N", "side that pictures are looked at with (default: the recipe's)"},
    {0},
};

static const cli_flag quantize_flags[] = {
    {"out", 'o', "FILE", "the model file to write"},
    {"to", 't', "TYPE", "f32, f16, q8_0, q4_0 or q2_0"},
    {"facts", 0, "FILE", "JSON over what the file says: version, calibration, …"},
    {0},
};

static const cli_flag doctor_flags[] = {
    {"settings", 0, NULL, "print every setting, its value and where it came from"},
    {"json", 'j', NULL, "print as JSON"},
    {0},
};

static const cli_flag align_flags[] = {
    {"out", 'o', "FILE",
     "embed: the file of vectors, .vec (text) or .bin (fastText); map: a folder"},
    {"seeds", 0, "WHAT",
     "map, lexicon: auto (default), none, identical, cognates, or a dictionary's file; with "
     "--hub a folder of them (en-sw.tsv, …)"},
    {"hub", 0, "FILE",
     "map: vectors that all the others are brought to; build: its language (default: en)"},
    {"words", 0, "N",
     "map, lexicon: learn on the N most frequent words (default: 4000); build: keep N of each "
     "language (default: 12000)"},
    {"hub-words", 0, "N", "build: keep N words of the hub's language (default: 30000)"},
    {"vectors", 0, "DIR", "build: the vectors of each language, DIR/LANG.bin"},
    {"lexicons", 0, "DIR", "build: words with their meaning in the hub, DIR/LANG.tsv"},
    {"relatives", 0, "L=R,…", "build: L may take meanings from words that R spells the same"},
    {"keep-target", 0, NULL, "map: only turn the first space; weigh no directions"},
    {"rcsls", 0, NULL, "map, lexicon: fit the map to retrieval (RCSLS)"},
    {"no-refine", 0, NULL, "map, lexicon: seeds alone, no self-learning"},
    {"space", 0, "FILE", "sentences, words: the space of both (default: the bundled one)"},
    {"mapped", 0, NULL, "lexicon: both are in one space already"},
    {"top", 't', "N", "lexicon: translations of each word (default: 1)"},
    {"min-confidence", 0, "C", "lexicon: leave out pairs below, 0 to 1 (default: 0)"},
    {"vocabulary", 0, "N", "lexicon: the N most frequent words of each (default: 50000)"},
    {"dim", 0, "N", "embed: numbers of a vector (default: 100)"},
    {"epochs", 0, "N", "embed: how often the text is gone through (default: 5)"},
    {"min-count", 0, "N", "embed: leave out words that come less often (default: 5)"},
    {"minn", 0, "N", "embed: shortest n-gram of characters (default: 3)"},
    {"maxn", 0, "N", "embed: longest n-gram of characters, 0: none (default: 6)"},
    {"buckets", 0, "N", "embed: n-grams share so many vectors (default: 2000000)"},
    {"window", 0, "N", "embed: words to each side, at most (default: 5)"},
    {"negative", 0, "N", "embed: words drawn by chance against each (default: 5)"},
    {"lr", 0, "RATE", "embed: rate of learning at the beginning (default: 0.05)"},
    {"sample", 0, "T", "embed: skip some of words more frequent than T (default: 0.0001)"},
    {"threads", 0, "N", "default one per processor; embed with 1: the same bytes each time"},
    {"seed", 0, "S", "another seed, other vectors or map (default: 1)"},
    {"tokens", 0, "KIND", "embed: words (folded, default) or spaces (as the text has them)"},
    {"src", 0, "LANG",
     "sentences, words: the first one's language (default: found in the text)"},
    {"tgt", 0, "LANG", "sentences, words: the second one's"},
    {"src-vectors", 0, "FILE", "sentences: vectors of the first one's words"},
    {"tgt-vectors", 0, "FILE", "sentences: those of the second's, in the same space"},
    {"lines", 0, NULL, "sentences: each line of plain text is one, an empty one too"},
    {"tsv", 0, NULL, "sentences: a pair a line: numbers from 0, confidence, texts"},
    {"html", 0, "FILE", "sentences: also write a page with both side by side"},
    {"json", 'j', NULL, "print the report as JSON"},
    {"quiet", 'q', NULL, "no progress line"},
    {0},
};

static const cli_flag help_flags[] = {
    {"man", 0, NULL, "print the man page (troff)"},
    {"completion", 0, "SHELL", "print completion for bash or zsh"},
    {0},
};

const cli_command cli_commands[] = {
    {"predict", "look at pages or pictures and answer", "FILE…",
     "vislang predict samples/notice-swh.jpg\n"
     "vislang predict samples/notice-swh.jpg -i \"which phone number?\"\n"
     "vislang predict samples/form-eng.jpg -i \"what is the date?\" --json\n",
     predict_flags, cli_predict},
    {"ocr", "read text out of pages: text, JSON, hOCR, ALTO, Markdown, searchable PDF",
     "FILE|FOLDER…",
     "vislang ocr samples/notice-amh.jpg\n"
     "vislang ocr samples --format text,json,pdf --output out --resume\n"
     "vislang ocr scan.tif --languages ara+eng --format pdf --output scan.pdf\n",
     ocr_flags, cli_ocr},
    {"caption", "say in a sentence what a photograph shows", "FILE…",
     "vislang caption photo.jpg\n"
     "vislang caption *.jpg --json\n"
     "vislang caption photo.jpg --sample --seed 7\n",
     caption_flags, cli_caption},
    {"ask", "ask a question about a photograph, or whether a statement is true",
     "FILE… \"QUESTION\"",
     "vislang ask photo.jpg \"what is the man doing?\"\n"
     "vislang ask photo.jpg --statement \"There is a dog.\"\n",
     ask_flags, cli_ask},
    {"scene", "sort photographs and pages by labels, with probabilities", "FILE…",
     "vislang scene photo.jpg\n"
     "vislang scene scan.pdf --page 2 --labels script --json\n",
     scene_flags, cli_scene},
    {"search", "find the pictures of a folder that a text, or a picture, is about",
     "DIR [\"TEXT\"]",
     "vislang search photos \"children playing in the water\"\n"
     "vislang search photos \"un chien qui court\" --language fr --top 3\n"
     "vislang search photos --like photo.jpg --json\n",
     search_flags, cli_search},
    {"serve", "the HTTP service and the page for the browser", "",
     "vislang serve\n"
     "vislang serve --host 0.0.0.0 --port 8080 --set max_upload_size=20MB\n",
     serve_flags, cli_serve},
    {"admin", "who may use the service, what was done, and under which key things are kept",
     "user|apikey|audit|key|subject|job ACTION …",
     "vislang admin user create amina --role admin\n"
     "vislang admin apikey create amina laptop --role operator --days 90\n"
     "vislang admin audit verify\n",
     admin_flags, cli_admin},
    {"db", "the database: its schema, and copies of it",
     "migrate | status | rollback | backup FILE|FOLDER/ | restore FILE | verify FILE",
     "vislang db migrate\n"
     "vislang db backup /var/backups/vislang/\n"
     "vislang db restore copy.vldb --set database_url=postgresql://vislang@db/vislang\n",
     db_flags, cli_db},
    {"train", "train a bundled model again from its recipe, or draw a run's curves",
     "[seer|reader|langid|tokenizer|chars|voices | plot DIR…]",
     "vislang train --recipe models/recipes/seer-1.yaml --data seer-data --out run-1\n"
     "vislang train reader --data lines --out reader-run\n"
     "vislang train plot run-1 run-2 --out curves.svg\n"
     "vislang train langid --data data/text --out models/langid.bin\n"
     "vislang train langid --data data/text --evaluate\n"
     "vislang train langid --data data/text --held-out held.tsv\n",
     train_flags, cli_train},
    {"harvest", "collect documents from a source, with where each came from",
     "[FOLDER|ARCHIVE|URL]",
     "vislang harvest samples --out collection\n"
     "vislang harvest --source reliefweb --lang sw --country ken,tza --out collection\n"
     "vislang harvest --status --out collection\n",
     harvest_flags, cli_harvest},
    {"dataset",
     "make data to train on: datasets built of documents, reviewed, exported, checked and "
     "counted; parts of documents; lines of text, rendered or of real scans",
     "build|review DATASET|export DATASET|check PATH|stats PATH|parts FILE|synth-lines|"
     "scan-lines DIR",
     "vislang dataset build --recipe recipe.yaml --out notices\n"
     "vislang dataset review notices --reviewer amina --reviewer jonas\n"
     "vislang dataset export notices --format imagefolder --out notices-hf\n"
     "vislang dataset check notices-hf\n"
     "vislang dataset stats notices --html notices/report.html\n"
     "vislang dataset parts report.html --json\n"
     "vislang dataset parts report.docx\n"
     "vislang dataset synth-lines --text data/text --out lines --count 20000 --seed 1\n"
     "vislang dataset synth-lines --text data/text --out held.tar --fonts held --scripts "
     "khmer\n"
     "vislang dataset synth-lines --list-fonts\n"
     "vislang dataset scan-lines data/ocr-scans --out real-adapt.tar\n",
     dataset_flags, cli_dataset},
    {"align",
     "one space for many languages: vectors of words from plain text, maps between languages, "
     "dictionaries, documents side by side",
     "embed TEXT…|map SRC TGT|map --hub HUB FILE…|lexicon SRC TGT|sentences A B|words A B",
     "vislang align embed news-swa.txt.gz --out swa.vec\n"
     "vislang align embed news.txt web.txt --out swa.bin --dim 300 --epochs 20 --min-count 2\n"
     "vislang align map eng.vec swa.vec --seeds en-sw.tsv --out mapped\n"
     "vislang align map --hub en.vec fr.vec sw.vec ln.vec --seeds dictionaries --out hub\n"
     "vislang align lexicon mapped/eng.vec mapped/swa.vec --mapped --top 3\n"
     "vislang align sentences report-en.pdf report-so.docx --html both.html\n",
     align_flags, cli_align},
    {"eval",
     "score a picture model on pictures with metadata, engines on real scans, or alignment "
     "across languages",
     "seer|ocr DIR…|align FILE…",
     "vislang eval ocr data/ocr-scans --half score\n"
     "vislang eval seer photos/flickr8k/dev --json\n"
     "vislang eval seer data/daquar-dev --task vqa --baselines --train data/daquar-train\n"
     "vislang eval seer data/crisis-dev data/daquar-dev --calibrate facts.json\n"
     "vislang eval align --src en --tgt sw pairs.tsv --json\n"
     "vislang eval align --src fr --tgt ln --task lexicon words.tsv\n"
     "vislang eval align --src de --tgt fr --task document a.de a.fr gold.txt\n",
     eval_flags, cli_eval},
    {"export", "write the model of a training run as a file to use", "RUN",
     "vislang export run-1 --format q8_0 --out models/seer.gguf\n"
     "vislang export run-1 --best --without tiny --facts facts.json --out seer.gguf\n",
     export_flags, cli_export},
    {"quantize", "write a model file with fewer bits a weight", "MODEL",
     "vislang quantize models/seer.gguf --to q4_0 --out seer-q4.gguf\n", quantize_flags,
     cli_quantize},
    {"doctor", "say what is present, what is missing, and the command that fixes it", "",
     "vislang doctor\n"
     "vislang doctor --settings\n",
     doctor_flags, cli_doctor},
    {"help", "show help for a command", "[COMMAND]",
     "vislang help ocr\n"
     "vislang help --completion bash > ~/.local/share/bash-completion/completions/vislang\n",
     help_flags, cli_help},
    {0},
};

const cli_command *cli_command_find(const char *name, vl_error *error) {
    const char *names[CLI_MAX_COMMANDS];
    size_t count = 0;
    for (const cli_command *command = cli_commands; command->name; command++) {
        if (!strcmp(command->name, name))
            return command;
        names[count++] = command->name;
    }
    const char *nearest = vl_nearest_name(name, names, count);
    if (nearest)
        vl_fail(error, VL_ERR_USAGE, "no command '%s'; did you mean '%s'?", name, nearest);
    else
        vl_fail(error, VL_ERR_USAGE, "no command '%s'; 'vislang help' lists them", name);
    return NULL;
}

static void print_flags(const cli_flag *flags, vl_buf *out) {
    for (const cli_flag *flag = flags; flag->name; flag++) {
        char left[64];
        if (flag->letter)
            snprintf(left, sizeof left, "-%c, --%s", flag->letter, flag->name);
        else
            snprintf(left, sizeof left, "    --%s", flag->name);
        if (flag->argument)
            snprintf(left + strlen(left), sizeof left - strlen(left), " %s", flag->argument);
        vl_buf_printf(out, "  %-28s %s\n", left, flag->help);
    }
}

void cli_print_help(const cli_command *command, vl_buf *out) {
    for (const char *line = command->examples; *line;) {
        const char *end = strchr(line, '\n');
        vl_buf_printf(out, "  $ %.*s\n", (int)(end - line), line);
        line = end + 1;
    }
    vl_buf_printf(out, "\nvislang %s [options]%s%s — %s\n\nOptions:\n", command->name,
                  *command->operands ? " " : "", command->operands, command->summary);
    print_flags(command->flags, out);
    print_flags(cli_common_flags, out);
    vl_buf_puts(out, "\nExit status: 0 done, 1 failed, 2 wrong usage, 3 bad input,\n"
                     "4 something it needs is missing (the message says what).\n");
}

void cli_print_overview(vl_buf *out) {
    vl_buf_puts(out, "vislang " VL_VERSION " — reads pages and pictures where networks and "
                     "languages are scarce\n\n");
    for (const cli_command *command = cli_commands; command->name; command++)
        vl_buf_printf(out, "  %-10s %s\n", command->name, command->summary);
    vl_buf_puts(out, "\n'vislang help COMMAND' shows examples and options.\n");
}

/* troff takes '\\', '-' and a leading '.' or '\'' as its own. */
static void man_text(const char *text, vl_buf *out) {
    for (const char *c = text; *c; c++) {
        bool line_start = c == text || c[-1] == '\n';
        if (*c == '\\')
            vl_buf_puts(out, "\\e");
        else if (*c == '-')
            vl_buf_puts(out, "\\-");
        else if (line_start && (*c == '.' || *c == '\''))
            vl_buf_printf(out, "\\&%c", *c);
        else
            vl_buf_append(out, c, 1);
    }
}

static void man_flags(const cli_flag *flags, vl_buf *out) {
    for (const cli_flag *flag = flags; flag->name; flag++) {
        vl_buf_puts(out, ".TP\n.B ");
        if (flag->letter)
            vl_buf_printf(out, "\\-%c, ", flag->letter);
        vl_buf_puts(out, "\\-\\-");
        man_text(flag->name, out);
        if (flag->argument)
            vl_buf_printf(out, " \\fI%s\\fR", flag->argument);
        vl_buf_puts(out, "\n");
        man_text(flag->help, out);
        vl_buf_puts(out, "\n");
    }
}

void cli_print_man(vl_buf *out) {
    vl_buf_puts(out, ".TH VISLANG 1 \"\" \"vislang " VL_VERSION "\" \"User Commands\"\n"
                     ".SH NAME\nvislang \\- reads pages and pictures, on the command line and "
                     "over HTTP\n.SH SYNOPSIS\n.B vislang\n\\fICOMMAND\\fR [options] "
                     "[\\fIFILE\\fR...]\n.SH COMMANDS\n");
    for (const cli_command *command = cli_commands; command->name; command++) {
        vl_buf_printf(out, ".SS vislang %s %s\n", command->name, command->operands);
        man_text(command->summary, out);
        vl_buf_puts(out, "\n.PP\n.nf\n");
        man_text(command->examples, out);
        vl_buf_puts(out, ".fi\n");
        man_flags(command->flags, out);
    }
    vl_buf_puts(out, ".SH COMMON OPTIONS\n");
    man_flags(cli_common_flags, out);
    vl_buf_puts(out,
                ".SH EXIT STATUS\n0 done, 1 failed, 2 wrong usage, 3 bad input, 4 something "
                "it needs is missing.\n");
}

static void completion_words(const cli_flag *flags, vl_buf *out) {
    for (const cli_flag *flag = flags; flag->name; flag++)
        vl_buf_printf(out, " --%s", flag->name);
}

vl_status cli_print_completion(const char *shell, vl_buf *out, vl_error *error) {
    bool zsh = !strcmp(shell, "zsh");
    if (!zsh && strcmp(shell, "bash"))
        return vl_fail(error, VL_ERR_USAGE, "completion is made for bash and zsh, not '%s'",
                       shell);
    if (zsh)
        vl_buf_puts(out, "autoload -U +X bashcompinit && bashcompinit\n");
    vl_buf_puts(out, "_vislang() {\n    local word=${COMP_WORDS[COMP_CWORD]} words=''\n"
                     "    case ${COMP_WORDS[1]} in\n");
    for (const cli_command *command = cli_commands; command->name; command++) {
        vl_buf_printf(out, "    %s) words='", command->name);
        completion_words(command->flags, out);
        completion_words(cli_common_flags, out);
        vl_buf_puts(out, "' ;;\n");
    }
    vl_buf_puts(out, "    esac\n    [ \"$COMP_CWORD\" = 1 ] && words='");
    for (const cli_command *command = cli_commands; command->name; command++)
        vl_buf_printf(out, " %s", command->name);
    vl_buf_puts(out, "'\n    COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n}\n"
                     "complete -o default -F _vislang vislang\n");
    return VL_OK;
}
