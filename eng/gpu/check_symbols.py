#!/usr/bin/env python3
"""Which functions that TorchSharp's library needs does a libtorch not have?

Usage: check_symbols.py libLibTorchSharp.so FOLDER_OF_LIBTORCH. Fails if one is missing that the dynamic loader asks for at once; the others are missed
only where they are called.
"""
import ctypes
import os
import shutil
import struct
import subprocess
import sys

LIBRARIES = ["libc10.so", "libtorch_cpu.so", "libc10_cuda.so", "libtorch_cuda.so", "libtorch.so"]
DYNAMIC_SYMBOLS, RELOCATIONS = 11, 4  # types of sections
JUMP_SLOT = 7  # a call, which is bound when it happens
WEAK = 2


def needs(path):
    """The names that an ELF file takes from others, and whether each must be there when it is loaded."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:6] != b"\x7fELF\x02\x01":
        sys.exit(f"{path} is not a 64-bit ELF file.")
    start, = struct.unpack_from("<Q", data, 0x28)
    size, count = struct.unpack_from("<HH", data, 0x3A)
    # name, type, flags, address, offset, size, link, info, alignment, size of an entry
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, start + i * size) for i in range(count)]
    symbols = next(section for section in sections if section[1] == DYNAMIC_SYMBOLS)
    strings = sections[symbols[6]][4]

    def name_of(index):
        at = strings + struct.unpack_from("<I", data, symbols[4] + 24 * index)[0]
        return data[at:data.index(b"\0", at)].decode()

    found = {}
    for i in range(1, symbols[5] // 24):
        _, info, _, section = struct.unpack_from("<IBBH", data, symbols[4] + 24 * i)
        if section == 0 and info >> 4 != WEAK:
            found[name_of(i)] = False
    for section in sections:
        if section[1] != RELOCATIONS:
            continue
        for at in range(section[4], section[4] + section[5], 24):
            info, = struct.unpack_from("<Q", data, at + 8)
            if info & 0xFFFFFFFF != JUMP_SLOT and info >> 32 and name_of(info >> 32) in found:
                found[name_of(info >> 32)] = True
    return found


def main():
    library, folder = sys.argv[1:3]
    for name in LIBRARIES:
        path = os.path.join(folder, name)
        if os.path.exists(path):
            ctypes.CDLL(path, mode=ctypes.RTLD_GLOBAL)
    everything = ctypes.CDLL(None)

    def is_there(name):
        try:
            ctypes.c_byte.in_dll(everything, name)
            return True
        except ValueError:
            return False

    needed = needs(library)
    missing = {name: at_once for name, at_once in needed.items() if not is_there(name)}
    fatal = sum(missing.values())
    print(f"{os.path.basename(library)} needs {len(needed)} symbols, {sum(needed.values())} of them when it is loaded; {len(missing)} are missing, {fatal} of those")
    demangle = shutil.which("c++filt")
    for name, at_once in sorted(missing.items()):
        text = subprocess.run([demangle, name], capture_output=True, text=True, check=False).stdout.strip() if demangle else name
        print(("  when loaded: " if at_once else "  when called: ") + text[:200])
    sys.exit(1 if fatal else 0)


if __name__ == "__main__":
    main()
