#!/usr/bin/python3
# SPDX-License-Identifier: ISC
# chunked-image.py HOST:PORT FROM TO FAULT [TO FAULT]...: copies the image FROM (NAME:TAG), whose one layer is zstd:chunked,
# to TO within a registry that speaks plain HTTP; the index of the layer has the fault, its contents are what they were.  The fault
# "newer" is none: the layer as newer versions of containers/storage write it, with files in several chunks.
import ctypes
import hashlib
import io
import json
import struct
import subprocess
import sys
import tarfile
import urllib.request

host, source = sys.argv[1:3]
types = "application/vnd.oci.image.manifest.v1+json"
prefix = "io.github.containers.zstd-chunked."


def call(method, url, data=None, headers={}):
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    with urllib.request.urlopen(request) as r:
        return r.read(), r.headers


def sha(b):
    return "sha256:" + hashlib.sha256(b).hexdigest()


def zstd(*words, data):
    return subprocess.run(["zstd", "-q", "-c", *words], input=data, stdout=subprocess.PIPE, check=True).stdout


def put_blob(name, data):
    _, headers = call("POST", f"http://{host}/v2/{name}/blobs/uploads/", b"")
    url = headers["Location"]
    url += ("&" if "?" in url else "?") + "digest=" + sha(data)
    call("PUT", url, data, {"Content-Type": "application/octet-stream"})


def frame(data):
    return struct.pack("<II", 0x184D2A50, len(data)) + data


CHUNK = 16384
library = ctypes.CDLL("libzstd.so.1")
library.ZSTD_compress.restype = ctypes.c_size_t


def one_frame(data):
    out = ctypes.create_string_buffer(len(data) + 1024)
    n = library.ZSTD_compress(out, ctypes.c_size_t(len(out)), data, ctypes.c_size_t(len(data)), 3)
    return out.raw[:n]


# What is no file's contents in frames of its own, each file in frames of CHUNK bytes, of which all but the first have
# entries of the type chunk.
def write_chunks(tar, entries):
    by_name = {x["name"].rstrip("/"): x for x in entries}
    out, listed, done = b"", [], 0
    for member in tarfile.open(fileobj=io.BytesIO(tar)):
        entry = by_name[member.name if member.name == "." or member.name.startswith("./") else member.name]
        listed.append(entry)
        if not member.isreg() or member.size == 0:
            continue
        start, end = member.offset_data, member.offset_data + member.size
        out += one_frame(tar[done:start])
        entry["offset"] = len(out)
        parts = []
        for at in range(start, end, CHUNK):
            data = tar[at : min(at + CHUNK, end)]
            parts.append((at - start, len(data), sha(data), len(out), "" if data.strip(b"\0") else "zeros"))
            out += one_frame(data)
        done = end
        entry["endOffset"] = len(out)
        entry.update(chunkSize=parts[0][1], chunkOffset=0, chunkDigest=parts[0][2], chunkType=parts[0][4])
        for offset, size, digest, place, kind in parts[1:]:
            listed.append(
                {"type": "chunk", "name": entry["name"], "offset": place, "chunkSize": size,
                 "chunkOffset": offset, "chunkDigest": digest, "chunkType": kind}
            )
    return out + one_frame(tar[done:]), listed


name, tag = source.split(":")
first_manifest = call("GET", f"http://{host}/v2/{name}/manifests/{tag}", headers={"Accept": types})[0]
manifest = json.loads(first_manifest)
layer = manifest["layers"][0]
notes = layer["annotations"]
first_blob = call("GET", f"http://{host}/v2/{name}/blobs/{layer['digest']}")[0]
config = call("GET", f"http://{host}/v2/{name}/blobs/{manifest['config']['digest']}")[0]
first_at, size, plain, kind = map(int, notes[prefix + "manifest-position"].split(":"))
split_at, split_size, split_plain = map(int, notes[prefix + "tarsplit-position"].split(":"))
first_toc = zstd("-d", data=first_blob[first_at : first_at + size])
first_split = zstd("-d", data=first_blob[split_at : split_at + split_size])


def make(target, fault):
    manifest = json.loads(first_manifest)
    layer = manifest["layers"][0]
    notes = layer["annotations"]
    toc, split, blob, at, text = json.loads(first_toc), first_split, first_blob, first_at, None
    files = [x for x in toc["entries"] if x["type"] == "reg" and x.get("size", 0) > 0]

    if fault == "digests":
        for x in files:
            x["digest"] = sha(b"%d" % x["offset"])
    elif fault == "swapped":
        twins = {}
        for x in files:
            twins.setdefault(x["size"], []).append(x)
        a, b = next(v for v in twins.values() if len(v) > 1)[:2]
        a["digest"], b["digest"] = b["digest"], a["digest"]
    elif fault == "overlap":
        files[5]["offset"] = files[4]["offset"]
    elif fault == "beyond":
        files[-1]["endOffset"] = len(blob) + 10**12
    elif fault == "names":
        for x in files:
            x["name"] = "../../../../../../etc/" + x["name"]
    elif fault == "missing":
        toc["entries"] = [x for x in toc["entries"] if x is not files[7]]
    elif fault == "entries":
        text = b'{"version":1,"entries":[' + b'{"type":"dir","name":"x"},' * 2200000 + b'{"type":"dir","name":"x"}]}'
    elif fault == "reversed":
        files[3]["offset"], files[3]["endOffset"] = files[3]["endOffset"], files[3]["offset"]
    elif fault == "negative":
        files[3]["offset"] = -files[3]["offset"]
    elif fault == "huge":
        files[3]["size"] = 2**64
    elif fault == "json":
        text = b'{"version":1,"entries":[{"type":"reg","name":"x"'
    elif fault == "depth":
        text = b'{"version":1,"other":' + b"[" * 3000000 + b'],"entries":[]}'
    elif fault == "bomb":
        text = b'{"version":1,"entries":[' + b" " * (80 << 20) + b"]}"
    elif fault == "split-bomb":
        split = b'{"type":2,"payload":"' + b"A" * (80 << 20) + b'"}\n'
    elif fault == "split-files":
        split = b'{"type":1,"size":18446744073709551615}\n' * 100000
    elif fault == "split":
        split = split.replace(b'"payload":"', b'"payload":"AAAA', 3)
    elif fault == "newer":
        start, toc["entries"] = write_chunks(zstd("-d", data=blob[: at - 8]), toc["entries"])
        blob, at = start + bytes(8), len(start) + 8
    toc.pop("tarSplitDigest", None)
    if fault == "newer":
        toc["tarSplitDigest"] = sha(zstd(data=split))
    text = text or json.dumps(toc).encode()
    packed = zstd(data=text)
    packed_split = zstd(data=split)
    new = blob[: at - 8]
    at = len(new) + 8
    new += frame(packed)
    split_at = len(new) + 8
    new += frame(packed_split)
    length = 1000 if fault in ("length", "bomb") else len(text)
    new += frame(struct.pack("<7Q", at, len(packed), length, 1, split_at, len(packed_split), len(split)) + b"GNUlInUx")
    layer.update(digest=sha(new), size=len(new))
    notes[prefix + "manifest-checksum"] = sha(b"another" if fault == "checksum" else packed)
    notes[prefix + "manifest-position"] = f"{at}:{len(packed)}:{length}:1"
    notes[prefix + "tarsplit-position"] = f"{split_at}:{len(packed_split)}:{len(split)}"
    name, tag = target.split(":")
    put_blob(name, new)
    put_blob(name, config)
    call("PUT", f"http://{host}/v2/{name}/manifests/{tag}", json.dumps(manifest).encode(), {"Content-Type": types})


for i in range(3, len(sys.argv), 2):
    make(*sys.argv[i : i + 2])
