"""A generated project: many sources that each take gcc a few tenths of a second, a shared header,
and a Makefile that keeps no order among them."""

COUNT = 32

# Dispatch over many small functions keeps the optimiser busy without needing any header.
FUNCTION = """static int f{i}(int x) {{
  int s = {n};
  for (int i = 0; i < x; i++) s = (s * 31 + i) ^ (s >> {shift});
  return s % 7 ? s : f_before(s);
}}
#undef f_before
#define f_before f{i}
"""


def source(number, functions):
    body = "".join(FUNCTION.format(i=i, n=number * 1000 + i, shift=i % 13 + 1)
                   for i in range(functions))
    return ('#include <stdio.h>\n#include <stdlib.h>\n#include "shared.h"\n#define f_before abs\n'
            f'{body}int entry{number}(int x) {{ printf("%d", SHARED); return f_before(x); }}\n')


def write(folder, count=COUNT, functions=100):
    folder.mkdir(parents=True)
    (folder / "shared.h").write_text("#define SHARED 1\n")
    for number in range(count):
        (folder / f"s{number}.c").write_text(source(number, functions))
    objects = " ".join(f"s{n}.o" for n in range(count))
    (folder / "Makefile").write_text(
        f"all: {objects}\n%.o: %.c\n\tgcc -O2 -g -MMD -c $< -o $@\n-include $(wildcard *.d)\n")
