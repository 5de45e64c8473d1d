"""Texts of sources and headers: lines drawn from tables, each of which shows something of where it was compiled.

In a line, N becomes a number of its own, H a header's name as it is found, P its path in the case's folder, B a file
of bytes. Other files that a line needs are made by generate.py.
"""
import re

# Weight, line. In C and in C++.
COMMON = [
    (6, b"int vN = N;"),
    (4, b"int fN(int x) { int unused; return x + N; }"),
    (3, b"static int gN(void) { return N; }"),
    (3, b"const char *fileN = __FILE__;"),
    (2, b"const char *baseN = __BASE_FILE__;"),
    (1, b"const char *nameN = __FILE_NAME__;"),
    (2, b"int lineN = __LINE__, depthN = __INCLUDE_LEVEL__;"),
    (2, b"int countN = __COUNTER__;"),
    (1, b"const char *dateN = __DATE__;"),
    (1, b"const char *timeN = __TIME__;"),
    (1, b"const char *stampN = __TIMESTAMP__;"),
    (1, b"/* __TIMESTAMP__ in a comment */ int afterN;"),
    (1, b"#define STAMP_(x) __TIME##x\nconst char *pastedN = STAMP_(STAMP__);"),
    (2, b"#include <stddef.h>\nsize_t sN = sizeof(size_t);"),
    (1, b"#include <limits.h>\nlong mN = LONG_MAX;"),
    (1, b"#include <assert.h>\nvoid assertN(int x) { assert(x == N); }"),
    (1, b"#include <stdio.h>\nint printN(void) { return printf(\"%s\\n\", \"N\"); }"),
    (1, b"#include <errno.h>\nint *errnoN(void) { return &errno; }"),
    (8, b"#include \"H\""),
    (3, b"#include <H>"),
    (2, b"#include \"P\""),
    (2, b"#include \"{dir}/P\""),
    (1, b"#include \"{link}/P\""),
    (1, b"#include \"{dir}/./P\""),
    (1, b"#import \"H\""),
    (1, b"#include_next <H>"),
    (2, b"#define HEADER_N \"H\"\n#include HEADER_N"),
    (1, b"#define STRING_N(x) #x\n#define WORD_N(x) STRING_N(x)\n#include WORD_N(P)"),
    (1, b"#ifndef SELF_N\n#define SELF_N\n#include __FILE__\n#else\nint selfN;\n#endif"),
    (2, b"#if __has_include(\"H\")\nint has_N;\n#else\nint has_not_N;\n#endif"),
    (1, b"#if __has_include(<H>)\nint has_N;\n#endif"),
    (1, b"#if __has_include(\"{dir}/P\")\nint has_N;\n#else\nint has_not_N;\n#endif"),
    (1, b"#if __has_include(\"/usr/include/stdio.h\")\nint has_N;\n#else\nint has_not_N;\n#endif"),
    (1, b"#if __has_include(\"/etc/hostname\")\nint has_N;\n#else\nint has_not_N;\n#endif"),
    (1, b"#if __has_include(\"{dir}\")\nint has_N;\n#else\nint has_not_N;\n#endif"),
    (1, b"#if __has_include(\"{dir}/missing/../P\")\nint has_N;\n#else\nint has_not_N;\n#endif"),
    (1, b"#if __has_include(\"missing.h\")\nint has_N;\n#else\nint has_not_N;\n#endif"),
    (1, b"#if __has_include(\"/tmp\") || __has_include(\"/proc/self/maps\")\nint has_N;\n#endif"),
    (1, b"#if __has_include_next(<H>)\nint has_next_N;\n#endif"),
    (2, b"__asm__(\".globl bN\\nbN: .incbin \\\"B\\\"\");"),
    (1, b"__asm__(\".globl bN\\nbN: .incbin \\\"{dir}/B\\\", 1, 3\");"),
    (1, b"__asm__(\".include \\\"B.inc\\\"\");"),
    (1, b"__asm__(\".ident \\\"N\\\"\");"),
    (1, b"#pragma once"),
    (1, b"#pragma GCC dependency \"H\""),
    (1, b"#pragma GCC dependency \"P\" N"),
    (1, b"#pragma message \"text N\""),
    (1, b"#pragma GCC system_header"),
    (1, b"#pragma GCC poison poisonedN"),
    (1, b"#pragma unknown N"),
    (1, b"#pragma GCC diagnostic ignored \"-Wunused-variable\""),
    (1, b"#pragma GCC optimize (\"O3\")"),
    (1, b"#pragma pack(push, 1)\nstruct packedN { char c; int i; };\n#pragma pack(pop)"),
    (1, b"#warning N"),
    (1, b"#line N \"other.c\""),
    (1, b"#line N \"{dir}/P\""),
    (1, b"# 1 \"P\" 1\nint markedN;"),
    (1, b"#ident \"N\""),
    (2, b"#ifdef __AVX2__\nint avx2_N;\n#endif\n#ifdef __AVX512F__\nint avx512_N;\n#endif"),
    (1, b"#ifdef __OPTIMIZE__\nint optimized_N;\n#endif"),
    (1, b"#ifdef __SANITIZE_ADDRESS__\nint asan_N;\n#endif"),
    (2, b"#ifdef D\nint d_N = D + 0;\n#endif"),
    (1, b"int sumN(int *p, int n) { int s = 0; for (int i = 0; i < n; ++i) s += p[i] * N; return s; }"),
    (1, b"void copyN(float *a, float *b) { for (int i = 0; i < 1024; ++i) a[i] = b[i] * 2; }"),
    (1, b"int switchN(int x) { switch (x) { case 1: x = 2; case 2: return N; default: return x; } }"),
    (1, b"int divideN(int x) { return x / 0; }"),
    (1, b"int shiftN(int x) { return x << 40; }"),
    (1, b"char arrayN[70000] = {N};"),
    (1, b"__thread int tlsN = N;"),
    (1, b"int mainN(int c, char **v) { char b[10]; v[0] = b; return c = 1 ? c : b[11]; }"),
    (1, b"void warnN(void) { int a[2]; a[5] = N; (void)a; }"),
    (1, b"extern int weakN __attribute__((weak)); int *weak_pN = &weakN;"),
    (1, b"struct structN { int a : 3; long b; } *spN;"),
    (1, b"int hexN = 0xN, octN = 0N;"),
    (1, "const char *utf8N = \"ä→字\";".encode()),
    (1, "int größeN = N;".encode()),
    (1, "int warned_größeN(void) { int größe; return 0; }".encode()),
    (1, b"const char *latinN = \"\xe4\xf6\";"),
    (1, b"// a comment with \xe4 in it"),
    (1, "/* \u202e bidirectional */ int bidiN;".encode()),
    (1, b"int trigraphN = sizeof(\"??=\");"),
    (1, b"// a comment that goes on \\\nint hidden;"),
    (1, b"#inc\\\nlude \"H\""),
    (1, b"/* /* nested */"),
    (1, b"%:define digraphN"),
    (1, b"static const char longN[] = \"" + b"x" * 300 + b"\";"),
]

# Each of these is an error, or one by some option.
ERRORS = [
    (4, b"int errorN = undeclaredN;"),
    (2, b"int errorN"),
    (2, b"#error N"),
    (2, b"#include \"missingN.h\""),
    (1, b"#include <sys/missingN.h>"),
    (1, b"#include \"{dir}/missingN.h\""),
    (1, b"#include \"{dir}\""),
    (1, b"#if 1"),
    (1, b"#endif"),
    (1, b"int typeN = \"text\";"),
    (1, b"char *unterminatedN = \"text;"),
    (1, b"_Static_assert(0, \"N\");"),
    (1, b"int callN(void) { return not_declaredN(1); }"),
    (1, b"int redefinedN; float redefinedN;"),
    (1, b"struct { int x } semicolonN;"),
    (1, b"__asm__(\"no_such_instruction N\");"),
    (1, b"__asm__(\".incbin \\\"missingN\\\"\");"),
    (1, b"void asmN(void) { __asm__ volatile(\"bogus %0\" : : \"r\"(N)); }"),
    (1, b"__asm__(\".warning \\\"N\\\"\");"),
    (1, b"__asm__(\".error \\\"N\\\"\");"),
    (1, b"int bytesN = \x01\x02;"),
    (1, b"int nulN = \0 0;"),
    (1, b"#include"),
    (1, b"#define"),
    (1, b"#if __has_include("),
    (1, b"}"),
    (1, "int “quotedN” = 1;".encode()),
]

C_ONLY = [
    (2, b"int oldN(x) int x; { return x; }"),
    (1, b"int implicitN(void) { return callee_N(1); }"),
    (1, b"_Thread_local int tN;"),
    (1, b"int restrictN(char *restrict a, char *restrict b) { return *a + *b; }"),
    (1, b"struct initN { int a, b; } initN = {.b = N};"),
    (1, b"void vlaN(int n) { char a[n]; a[0] = 0; (void)a; }"),
    (1, b"double complexN(double _Complex z) { return __real__ z; }"),
    (1, b"int genericN(int x) { return _Generic(x, int: N, default: 0); }"),
]

CXX_ONLY = [
    (2, b"template <class T> T twiceN(T x) { return x + x; }\nint callN(void) { return twiceN(N); }"),
    (2, b"struct VirtualN { virtual ~VirtualN(); virtual int f(); };\nint VirtualN::f() { return N; }"),
    (1, b"int throwN(int x) { try { if (x) throw N; } catch (int e) { return e; } return 0; }"),
    (1, b"auto lambdaN = [](int x) { return x + N; };"),
    (1, b"namespace nsN { inline int f() { return N; } }\nint nfN = nsN::f();"),
    (1, b"constexpr int constN(int x) { return x < 2 ? x : constN(x - 1) + constN(x - 2); }\nint cN = constN(9);"),
    (1, b"#include <new>\nint *newN() { return new int(N); }"),
    (1, b"#include <initializer_list>\nint listN(std::initializer_list<int> l) { return int(l.size()); }"),
    (1, b"#include <cstddef>\nstd::size_t csN = N;"),
    (1, b"template <class T> struct DeepN { typename T::type x; };\nDeepN<int> deepN;"),
    (1, b"int dynamicN();\nstatic int initN = dynamicN();"),
    (1, b"int overloadN(int); int overloadN(long);\nint oN = overloadN(\"x\");"),
    (1, b"thread_local int tN = N;"),
    (1, b"struct OverrideN { int f() const; int m; OverrideN() : m(N) {} };"),
]

HEADER_LINES = [
    (3, b"#pragma once"),
    (3, b"#ifndef GUARD_N\n#define GUARD_N\nextern int guardedN;\n#endif"),
    (1, b"#import \"H\""),
    (1, b"extern int declaredN;"),
    (1, b"static inline int inlineN(int x) { int unused; return x; }"),
    (1, b"static int unused_in_headerN;"),
]

ASSEMBLER = [
    (4, b".globl sN\nsN: ret"),
    (2, b".data\ndN: .long N"),
    (2, b".incbin \"B\""),
    (1, b".incbin \"{dir}/B\""),
    (2, b".include \"B.inc\""),
    (1, b".file \"N.c\""),
    (1, b".ident \"N\""),
    (1, b".section .note.GNU-stack,\"\",@progbits"),
    (1, b".section .textN,\"ax\",@progbits\nnop"),
    (1, b".rept 3\nnop\n.endr"),
    (1, b".macro mN x\nmov $\\x, %eax\n.endm\n.text\nmN 3"),
    (1, b"# a comment"),
    (1, b"# 7 \"other.s\""),
    (1, b".warning \"N\""),
    (1, b".error \"N\""),
    (1, b"no_such_instruction N"),
    (1, b".loc 1 N"),
    (1, b".print \"N\""),
    (1, b"jmp .LN\n.LN:"),
    (1, b".string \"\xe4\""),
]

ASSEMBLER_WITH_CPP = [
    (3, b"#include \"H\""),
    (1, b"#ifdef __ASSEMBLER__\n.long N\n#endif"),
    (1, b"#define M_N N\n.long M_N"),
    (1, b".string __FILE__"),
    (1, b"// a comment"),
    (1, b"#warning N"),
    (1, b"#error N"),
    (1, b"#if __has_include(\"P\")\n.long N\n#endif"),
]


NUMBER = re.compile(rb"(?<![A-Z])N(?![A-Z])")
NEEDS_HEADER = re.compile(rb"\bH\b|\bP\b")


def draw(chance, table):
    return chance.choices([line for _, line in table], [weight for weight, _ in table])[0]


class Names:
    """What stands for the letters in a line."""

    def __init__(self, chance, headers, blobs):
        self.chance, self.headers, self.blobs = chance, headers, blobs
        self.number = 10

    def fill(self, line):
        self.number += 1
        header = self.chance.choice(self.headers) if self.headers else ("none.h", "none.h")
        out = []
        for piece in split(line):
            if piece == b"H":
                out.append(name_bytes(header[0]))
            elif piece == b"P":
                out.append(name_bytes(header[1]))
            elif piece in (b"B", b"B.inc"):
                out.append(name_bytes(self.chance.choice(self.blobs)) + piece[1:])
            else:
                out.append(NUMBER.sub(b"%d" % self.number, piece))
        return b"".join(out)


def name_bytes(name):
    return name.encode("utf-8", "surrogateescape")


def split(line):
    """The line in pieces, of which those that stand for a name are alone."""
    pieces, rest = [], line
    for mark in (b"\"H\"", b"<H>", b"\"P\"", b"/P\"", b"/./P\"", b"/../P\"", b"(P)", b"\\\"B\\\"", b"/B\\\"", b"\"B\"", b"/B\"",
                 b"\"B.inc\"", b"\\\"B.inc\\\""):
        at = rest.find(mark)
        if at >= 0:
            letter = next(i for i in range(at, at + len(mark)) if rest[i:i + 1] in (b"H", b"P", b"B"))
            end = letter + (5 if rest[letter:letter + 5] == b"B.inc" else 1)
            pieces = [*split(rest[:letter]), rest[letter:end], *split(rest[end:])]
            return pieces
    return [rest]


def text(chance, tables, lines, names):
    """So many lines of tables, as bytes."""
    table = [entry for t in tables for entry in t]
    if not names.headers and chance.random() < 0.9:
        table = [entry for entry in table if not NEEDS_HEADER.search(entry[1])]
    out = [names.fill(draw(chance, table)) for _ in range(lines)]
    end = chance.choice([b"\n"] * 12 + [b""])
    joint = chance.choice([b"\n"] * 20 + [b"\r\n"])
    start = chance.choice([b""] * 40 + [b"\xef\xbb\xbf"])
    return start + joint.join(out) + end
