/* probe [WORD…]: says when it began and what it was told; "sleep" makes it wait for its end. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int main(int argc, char** argv) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("%lld", (long long)now.tv_sec * 1000000000 + now.tv_nsec);
  for (int i = 1; i < argc; ++i) printf(" %s", argv[i]);
  printf("\n");
  fflush(stdout);
  if (argc > 1 && strcmp(argv[1], "sleep") == 0) {
    while (1) pause();
  }
  FILE* output = fopen("output.txt", "w");
  if (output == NULL) return 2;
  fputs("written\n", output);
  return fclose(output) == 0 ? 7 : 2;
}
