"""A server to be killed or interrupted: decode_forever.py DECODER PHOTO; prints what comes of each name on stdin."""

import sys
from pathlib import Path

from geosleuth.indexes import decoder_process
from geosleuth.indexes.decoding_apart import decode_apart
from geosleuth.indexes.errors import InputError
from geosleuth.indexes.photo import load_photo

decoder_process._PROGRAM = (sys.argv[1],)
content = Path(sys.argv[2]).read_bytes()
decode_apart()
for name in sys.stdin:
    try:
        print(load_photo(content, name=name.strip()).size, flush=True)
    except InputError as error:
        print(error, flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
