// The program around a fuzz target in ordinary builds: runs it over the files of its corpus, and
// over the same altered inputs of them each time. An input that fails is left in the working
// directory, to be fed to libFuzzer's program or put into the corpus.
//
//   ROOM_thing_fuzz CORPUS-FOLDER [ALTERED-INPUTS]
#include <algorithm>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

constexpr int kAlteredInputs = 600;

std::string current;

void LeaveInput(int signal) {
  if (std::FILE* file = std::fopen("fuzz_replay_failure", "wb")) {
    std::fwrite(current.data(), 1, current.size(), file);
    std::fclose(file);
    std::fputs("the input that failed is in ./fuzz_replay_failure\n", stderr);
  }
  std::signal(signal, SIG_DFL);
  std::raise(signal);
}

void Feed(std::string input) {
  current = std::move(input);
  // A block of its own size, so that a sanitizer sees the first byte past it.
  const std::vector<uint8_t> bytes(current.begin(), current.end());
  LLVMFuzzerTestOneInput(bytes.data(), bytes.size());
}

class Mutator {
 public:
  explicit Mutator(const std::vector<std::string>& seeds) : seeds_(seeds) {}

  std::string Next() {
    std::string input = seeds_[Below(seeds_.size())];
    for (size_t edits = 1 + Below(4); edits > 0; --edits) Edit(input);
    return input;
  }

 private:
  size_t Below(size_t end) { return random_() % end; }

  void Edit(std::string& input) {
    static constexpr unsigned char kOdd[] = {0,   1,   0x7f, 0x80, 0xff, '\n', '\r', ' ', '"',
                                             '/', '<', '>',  '%',  '{',  '}',  '\\', '-', ':'};
    const size_t at = Below(input.size() + 1);
    const std::string& other = seeds_[Below(seeds_.size())];
    const size_t from = Below(other.size() + 1);
    const size_t count = Below(33);
    switch (Below(6)) {
      case 0:
        if (at < input.size()) input[at] = static_cast<char>(random_());
        break;
      case 1:
        if (at < input.size()) input[at] = static_cast<char>(kOdd[Below(std::size(kOdd))]);
        break;
      case 2:
        if (at < input.size()) input[at] = static_cast<char>(input[at] ^ 1 << Below(8));
        break;
      case 3:
        input.erase(at, count);
        break;
      case 4:
        input.insert(at, other.substr(from, count));
        break;
      default:
        if (count == 0) input.resize(at);
        input.insert(std::min(at, input.size()), 1 + count % 4,
                     static_cast<char>(kOdd[Below(std::size(kOdd))]));
    }
  }

  const std::vector<std::string>& seeds_;
  std::mt19937 random_{1};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fprintf(stderr, "usage: %s CORPUS-FOLDER [ALTERED-INPUTS]\n", argv[0]);
    return 2;
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(argv[1])) files.push_back(entry);
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    std::fprintf(stderr, "%s: no corpus\n", argv[1]);
    return 1;
  }
  std::signal(SIGABRT, LeaveInput);
  std::signal(SIGSEGV, LeaveInput);
  std::vector<std::string> seeds;
  for (const auto& path : files) {
    std::ifstream file(path, std::ios::binary);
    seeds.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    Feed(seeds.back());
  }
  Feed("");
  Mutator mutator(seeds);
  const int altered = argc > 2 ? std::atoi(argv[2]) : kAlteredInputs;
  for (int i = 0; i < altered; ++i) Feed(mutator.Next());
  std::printf("%zu inputs of the corpus, %d altered\n", seeds.size(), altered);
}
