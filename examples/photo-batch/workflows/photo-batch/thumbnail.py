#!/usr/bin/env python3
"""Makes one thumbnail: $SLUICE_OUTPUT_DIR/thumb.jpg. Without a program for it a small photo is taken as it is.

    thumbnail.py --tool=magick|convert|ffmpeg|none --size=320 --sha256=CHECKSUM PHOTO

Prints {"thumb", "format", "width", "height", "bytes", "note"}; the size is that of the photo. Exits with 1 when it is no photo.
"""

import argparse
import json
import os
import shutil
import struct
import subprocess
import sys

AS_IT_IS = 1 << 20  # a photo up to this size may stand for its thumbnail
SHOWN_BY_BROWSERS = {"JPEG": ".jpg", "PNG": ".png", "GIF": ".gif", "WebP": ".webp"}


class NoPhoto(Exception):
    pass


# ---- what it is, by its content ----------------------------------------------------------------------------------------


def photo_facts(file):
    """Format and size in pixels, from the header; by content, because names lie."""
    head = file.read(32)
    if head.startswith(b"\x89PNG\r\n\x1a\n") and len(head) >= 24:
        return "PNG", *struct.unpack(">II", head[16:24])
    if head.startswith((b"GIF87a", b"GIF89a")):
        return "GIF", *struct.unpack("<HH", head[6:10])
    if head.startswith(b"\xff\xd8\xff"):
        file.seek(2)
        return "JPEG", *jpeg_size(file)
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP", None, None
    if head.startswith((b"II*\0", b"MM\0*")):
        return "TIFF", None, None
    raise NoPhoto("is empty" if head == b"" else "is no photo")


def jpeg_size(file):
    while True:
        marker = file.read(4)
        if len(marker) < 4 or marker[0] != 0xFF:
            raise NoPhoto("is a JPEG without a picture: it is damaged or cut off")
        length = struct.unpack(">H", marker[2:])[0]
        # Start of frame, but for the three markers between that say something else.
        if 0xC0 <= marker[1] <= 0xCF and marker[1] not in (0xC4, 0xC8, 0xCC):
            frame = file.read(5)
            if len(frame) < 5:
                raise NoPhoto("is a JPEG that is cut off")
            height, width = struct.unpack(">HH", frame[1:])
            return width, height
        file.seek(length - 2, os.SEEK_CUR)


def check_end(kind, file):
    """A photo that was cut off lacks its end; not every program minds."""
    ends = {"JPEG": b"\xff\xd9", "PNG": b"IEND", "GIF": b";"}
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - 65536))  # cameras write a little more behind it
    if kind in ends and ends[kind] not in file.read():
        raise NoPhoto(f"is a {kind} that is cut off")


# ---- thumbnails --------------------------------------------------------------------------------------------------------
# The photo goes in by stdin and never by name: both programs read meanings into names (`-x.jpg`, `a%d.jpg`, `a.jpg[0]`, `msl:x`).


def command_for(tool, size):
    if tool == "ffmpeg":
        scale = f"scale='min({size},iw)':'min({size},ih)':force_original_aspect_ratio=decrease"
        return ["ffmpeg", "-v", "error", "-xerror", "-i", "pipe:0", "-frames:v", "1", "-vf", scale, "-f", "mjpeg", "-q:v", "4", "pipe:1"]
    # The way up that the camera says; the first picture of an animation; white where it is transparent; no place, no camera.
    # fmt: off
    return [
        tool, "-limit", "memory", "512MiB", "-limit", "map", "1GiB", "-limit", "thread", "1",
        "-[0]", "-auto-orient", "-thumbnail", f"{size}x{size}>", "-background", "white", "-flatten", "-strip",
        "-quality", "82", "jpeg:-",
    ]
    # fmt: on


def scaled(tool, size, photo, target):
    with open(target, "wb") as out:
        done = subprocess.run(command_for(tool, size), stdin=photo, stdout=out, stderr=subprocess.PIPE, timeout=100)
    if done.returncode != 0 or os.path.getsize(target) == 0:
        os.remove(target)
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise NoPhoto(f"cannot be read by {tool}: {said[-1] if said else 'it said nothing'}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tool", required=True)
    parser.add_argument("--size", type=lambda text: max(16, min(4096, round(float(text)))), required=True)
    parser.add_argument("--sha256")
    parser.add_argument("photo")
    args = parser.parse_args()
    out = os.environ.get("SLUICE_OUTPUT_DIR", ".")
    thumb, note = None, None
    try:
        size = os.path.getsize(args.photo)
        # Not buffered: the program that gets it as stdin begins where we stand.
        with open(args.photo, "rb", buffering=0) as photo:
            kind, width, height = photo_facts(photo)
            check_end(kind, photo)
            photo.seek(0)
            if args.tool != "none":
                thumb = "thumb.jpg"
                scaled(args.tool, args.size, photo, os.path.join(out, thumb))
            elif kind in SHOWN_BY_BROWSERS and size <= AS_IT_IS:
                thumb, note = "thumb" + SHOWN_BY_BROWSERS[kind], "the photo itself, not scaled"
                with open(os.path.join(out, thumb), "wb") as copy:
                    shutil.copyfileobj(photo, copy)
            else:
                note = "no thumbnail: neither ImageMagick nor ffmpeg is installed"
    except (NoPhoto, OSError, struct.error, subprocess.TimeoutExpired) as error:
        print(str(error) or "is damaged", file=sys.stderr)
        return 1
    print(json.dumps({"thumb": thumb, "format": kind, "width": width, "height": height, "bytes": size, "note": note}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
