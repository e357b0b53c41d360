#!/usr/bin/env python3
"""A preview of one media file in $SLUICE_OUTPUT_DIR: of sound a waveform (SVG), of a picture or film a small JPEG.

    preview.py image|audio|video FILE

WAV needs nothing but Python; everything else ffmpeg. Without it a small picture stands for itself, and the rest has no preview.
Prints {"preview": name or null, "note": why there is none, or null}.
"""

import array
import json
import os
import shutil
import subprocess
import sys
import wave

AS_IT_IS = 1 << 20
BARS = 120
OUT = os.environ.get("SLUICE_OUTPUT_DIR", ".")


def waveform(path):
    """Reads in pieces: an hour of sound is not held in memory."""
    with wave.open(path, "rb") as sound:
        frames, width, channels = sound.getnframes(), sound.getsampwidth(), sound.getnchannels()
        if width != 2 or frames == 0:
            return None, f"a waveform is drawn of 16-bit sound only; this has {width * 8} bits, {frames} frames"
        peaks = []
        for bar in range(BARS):
            count = (bar + 1) * frames // BARS - bar * frames // BARS
            samples = array.array("h", sound.readframes(count)[: count * channels * 2 // 2 * 2])
            if sys.byteorder == "big":
                samples.byteswap()
            peaks.append(max((abs(one) for one in samples), default=0) / 32768)
    bars = "".join(
        f'<rect x="{at * 5}" y="{60 - peak * 58:.1f}" width="3" height="{max(1, peak * 116):.1f}" rx="1"/>'
        for at, peak in enumerate(peaks)
    )
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {BARS * 5} 120" fill="#2b6cb0">{bars}</svg>\n'
    with open(os.path.join(OUT, "preview.svg"), "w", encoding="utf-8") as file:
        file.write(svg)
    return "preview.svg", None


def by_ffmpeg(kind, path):
    name = "preview.jpg"
    # A picture comes by stdin: in the name of one `%d` would mean a sequence. In films it seeks; `file:` keeps a name from being
    # an address.
    source = ["-i", "pipe:0"] if kind == "image" else ["-i", f"file:{path}"]
    picture = ["-vf", "scale='min(480,iw)':-2"]
    if kind == "audio":
        picture = ["-filter_complex", "showwavespic=s=600x120:colors=#2b6cb0"]
    command = ["ffmpeg", "-v", "error", *source, *picture, "-frames:v", "1", "-y", os.path.join(OUT, name)]
    with open(path if kind == "image" else os.devnull, "rb", buffering=0) as stdin:
        done = subprocess.run(command, stdin=stdin, stderr=subprocess.PIPE, timeout=240)
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        sys.exit(f"ffmpeg cannot read it: {said[-1] if said else 'it said nothing'}")
    return name, None


def itself(path):
    with open(path, "rb") as file:
        head = file.read(4)
    extension = {b"\x89PNG": ".png", b"GIF8": ".gif"}.get(head, ".jpg")
    shutil.copyfile(path, os.path.join(OUT, "preview" + extension))
    return "preview" + extension, None


def main():
    kind, path = sys.argv[1], os.path.abspath(sys.argv[2])
    with open(path, "rb") as file:
        is_wav = file.read(4) == b"RIFF" and kind == "audio"
    if is_wav:
        preview, note = waveform(path)
    elif shutil.which("ffmpeg"):
        preview, note = by_ffmpeg(kind, path)
    elif kind == "image" and os.path.getsize(path) <= AS_IT_IS:
        preview, note = itself(path)
    else:
        preview, note = None, "no preview: ffmpeg is not installed"
    print(json.dumps({"preview": preview, "note": note}))


if __name__ == "__main__":
    main()
