#include "compiler/native_specs.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "compiler/discovery.h"

namespace llama::compiler {
namespace {

constexpr std::string_view kInput = "/dev/null";

class Writer {
 public:
  explicit Writer(const Toolchain& toolchain) : toolchain_(toolchain) {}

  Result<std::string> Write(const std::string& dir) {
    ASSIGN_OR_RETURN(std::string spec, BuiltInSpec());
    ASSIGN_OR_RETURN(const std::string arch, Said({"-march=native", "-mtune=generic"}));
    ASSIGN_OR_RETURN(const std::string tune, Said({"-mtune=native"}));
    TRY(Replace(spec, arch, tune));
    const std::string text = "*cc1_cpu:\n" + spec + "\n\n";
    char digits[16];
    const auto end =
        std::to_chars(digits, digits + sizeof digits, uint64_t{std::hash<std::string>()(text)}, 16);
    const std::string path = JoinPath(dir, "native-" + std::string(digits, end.ptr) + ".specs");
    const auto there = ReadFile(path, text.size() + 1);
    if (!there || *there != text) TRY(WriteFileAtomic(path, text, 0644));
    for (const std::vector<std::string>& options : {std::vector<std::string>{"-march=native"},
                                                    {"-mtune=native", "-O2"},
                                                    {"-march=native", "-mno-sse4", "-g"},
                                                    {"-march=native", "-mtune=native"}}) {
      std::vector<std::string> with = options;
      with.push_back("-specs=" + path);
      ASSIGN_OR_RETURN(const std::vector<std::string> here, FrontEnd(options));
      ASSIGN_OR_RETURN(const std::vector<std::string> there_too, FrontEnd(with));
      if (here != there_too) return Fail("does not say the same by specs");
    }
    return path;
  }

 private:
  Error Fail(std::string_view what) const {
    return Error{Code::kInvalid, toolchain_.driver + " " + std::string(what)};
  }

  Result<DriverOutput> Run(std::vector<std::string> args) const {
    const std::vector<std::string>& selected = toolchain_.selection.options;
    args.insert(args.begin(), selected.begin(), selected.end());
    return RunDriver(toolchain_.driver, args, {"PATH=/usr/bin:/bin"}, toolchain_.selection.cwd);
  }

  // The line below "*cc1_cpu:".
  Result<std::string> BuiltInSpec() const {
    ASSIGN_OR_RETURN(const DriverOutput output, Run({"-dumpspecs"}));
    constexpr std::string_view kName = "\n*cc1_cpu:\n";
    const size_t found = output.out.find(kName);
    if (found == output.out.npos) return Fail("has no cc1_cpu");
    const size_t begin = found + kName.size();
    return output.out.substr(begin, output.out.find('\n', begin) - begin);
  }

  // cc1's words without the name of the output.
  Result<std::vector<std::string>> FrontEnd(std::vector<std::string> options) const {
    options.insert(options.end(), {"-###", "-c", "-x", "c", std::string(kInput)});
    ASSIGN_OR_RETURN(const DriverOutput output, Run(options));
    std::vector<std::string> words = FrontEndWords(output.err);
    const auto out = std::find(words.begin(), words.end(), "-o");
    if (out != words.end()) words.erase(out, std::min(out + 2, words.end()));
    return words;
  }

  // What the spec says of these options: it stands between the input's name and -quiet.
  Result<std::string> Said(const std::vector<std::string>& options) const {
    ASSIGN_OR_RETURN(const std::vector<std::string> words, FrontEnd(options));
    auto word = std::find(words.begin(), words.end(), kInput);
    const auto end = std::find(word, words.end(), "-quiet");
    if (end == words.end()) return Fail("says its words in another order");
    std::string said;
    for (++word; word != end; ++word) {
      constexpr std::string_view kPlain =
          "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-=._+";
      if (word->find_first_not_of(kPlain) != word->npos) return Fail("says an odd word");
      said.append(said.empty() ? "" : " ").append(*word);
    }
    if (said.empty() || said.find("native") != said.npos)
      return Fail("does not say what is native");
    return said;
  }

  Result<void> Replace(std::string& spec, const std::string& arch, const std::string& tune) const {
    constexpr std::string_view kAsk = "%:local_cpu_detect(";
    int asked = 0;
    for (size_t at = spec.find(kAsk); at != spec.npos; at = spec.find(kAsk, at)) {
      const size_t end = spec.find(')', at);
      if (end == spec.npos) return Fail("has a spec that is not understood");
      const std::string_view what = std::string_view(spec).substr(at + kAsk.size());
      const std::string& said = what.starts_with("arch") ? arch : tune;
      spec.replace(at, end + 1 - at, said);
      at += said.size();
      ++asked;
    }
    if (asked == 0) return Fail("does not ask the processor in cc1_cpu");
    return {};
  }

  const Toolchain& toolchain_;
};

}  // namespace

Result<std::string> WriteNativeSpecs(const Toolchain& toolchain, const std::string& dir) {
  return Writer(toolchain).Write(dir);
}

}  // namespace llama::compiler
