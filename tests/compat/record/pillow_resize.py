#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints what Pillow's resize gives, for the table in src/compat/faithful/pillow_resize_test.cpp."""

import hashlib

import PIL
from noise import noise
from PIL import Image

SIZES = [(224, 224), (100, 80), (512, 512), (333, 777), (900, 224), (224, 31), (1, 1), (7, 1000), (1500, 2)]

print(f"// Recorded from Pillow {PIL.__version__} by tests/compat/record/pillow_resize.py.")
for width, height in SIZES:
    picture = Image.fromarray(noise(height, width))
    hashes = []
    for resample in (Image.Resampling.BICUBIC, Image.Resampling.NEAREST):
        resized = picture.resize((224, 224), resample)
        hashes.append('"' + hashlib.sha256(resized.tobytes()).hexdigest()[:16] + '"')
    print(f"    {{{{{width}, {height}}}, {', '.join(hashes)}}},")
