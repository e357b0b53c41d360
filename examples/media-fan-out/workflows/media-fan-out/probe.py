#!/usr/bin/env python3
"""What a media file is: by ffprobe when it is installed, else from the headers of the commonest formats.

    probe.py FILE

Prints {"kind": "image"|"audio"|"video"|"other", "facts": "in words"}. Exits with 1 when the file is damaged.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import wave


class Damaged(Exception):
    pass


def by_ffprobe(path):
    """None: it does not know the file either."""
    # `file:` because a name may look like an address; no name begins with a dash, since the path is absolute.
    command = ["ffprobe", "-v", "error", "-print_format", "json", "-show_format", "-show_streams", f"file:{path}"]
    done = subprocess.run(command, capture_output=True, timeout=60)
    if done.returncode != 0:
        return None
    found = json.loads(done.stdout.decode("utf-8", "replace"))
    streams = found.get("streams", [])
    video = next((one for one in streams if one.get("codec_type") == "video"), None)
    audio = next((one for one in streams if one.get("codec_type") == "audio"), None)
    seconds = float(found.get("format", {}).get("duration") or 0)
    words = [one["codec_name"] for one in (video, audio) if one and "codec_name" in one]
    if video and video.get("width"):
        words.append(f"{video['width']} × {video['height']}")
    # A picture is a film of one frame to ffprobe.
    is_still = video is not None and audio is None and seconds < 0.1
    if seconds >= 0.1:
        words.append(f"{seconds:.1f} s")
    return ("image" if is_still else "video" if video else "audio"), ", ".join(words)


def by_header(path):
    with open(path, "rb") as file:
        head = file.read(32)
        file.seek(0, os.SEEK_END)
        file.seek(max(0, file.tell() - 65536))
        tail = file.read()
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        if b"IEND" not in tail:
            raise Damaged("a PNG that is cut off")
        return "image", "PNG, {} × {}".format(*struct.unpack(">II", head[16:24]))
    if head[:6] in (b"GIF87a", b"GIF89a"):
        return "image", "GIF, {} × {}".format(*struct.unpack("<HH", head[6:10]))
    if head.startswith(b"\xff\xd8\xff"):
        if b"\xff\xd9" not in tail:
            raise Damaged("a JPEG that is cut off")
        return "image", "JPEG"
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        try:
            with wave.open(path, "rb") as sound:
                seconds = sound.getnframes() / sound.getframerate()
                ways = {1: "mono", 2: "stereo"}.get(sound.getnchannels(), f"{sound.getnchannels()} channels")
                return "audio", f"WAV, {sound.getframerate()} Hz, {ways}, {seconds:.1f} s"
        except (wave.Error, EOFError, ZeroDivisionError) as error:
            raise Damaged(f"a WAV that cannot be read: {error}") from None
    if head[4:8] == b"ftyp":
        return "video", "MP4 (ffmpeg is not installed: no more is known)"
    if head[:4] == b"\x1aE\xdf\xa3":
        return "video", "Matroska or WebM (ffmpeg is not installed: no more is known)"
    if head[:3] == b"ID3" or head[:4] in (b"fLaC", b"OggS"):
        return "audio", "compressed sound (ffmpeg is not installed: no more is known)"
    return None


def main():
    path = os.path.abspath(sys.argv[1])
    try:
        if os.path.getsize(path) == 0:
            raise Damaged("it is empty")
        # The header first: ffprobe takes many a text for a subtitle.
        found = by_header(path)
        if found and shutil.which("ffprobe"):
            found = by_ffprobe(path) or found
        kind, facts = found or ("other", "no media file that is known here")
    except (Damaged, OSError, struct.error, subprocess.TimeoutExpired) as error:
        print(error, file=sys.stderr)
        return 1
    print(json.dumps({"kind": kind, "facts": facts}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
