// Long: one project, and each option whose effect the compilers themselves can tell.
// The truth is the local compiler: its list of folders (-v), and the files that it finds (-M).

#include "scan/search/search_path.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <thread>

#include "base/environment.h"
#include "base/file.h"
#include "compiler/discovery.h"
#include "compiler/plan.h"

namespace llama::scan {
namespace {

namespace fs = std::filesystem;

// Words of an option line; '@' stands for the base folder.
std::vector<std::string> Words(const std::string& line, const std::string& base) {
  std::istringstream in(line);
  std::vector<std::string> out;
  for (std::string word; in >> word;) {
    for (size_t at = word.find('@'); at != word.npos; at = word.find('@', at + base.size())) {
      word.replace(at, 1, base);
    }
    out.push_back(word);
  }
  return out;
}

struct Case {
  std::string options;
  std::string env = {};      // "NAME=value …"
  std::string drivers = {};  // the initials of those that take it: "g" for gcc, "c" for clang
  std::string source = {};   // empty: by the driver
};

// A project in which each header is in several folders, so that the order decides.
class Project {
 public:
  Project() : dir_(*TempDir::Create("search")) {
    for (const char* folder :
         {"a", "b", "c", "d", "work", "work/src", "work/inner", "sys/usr/include", "end"}) {
      fs::create_directories(base() + "/" + folder);
    }
    fs::create_directory_symlink("a", base() + "/link_a");
    fs::create_directory_symlink("/usr/include", base() + "/link_usr");
    fs::create_directory_symlink("../b", base() + "/work/link_b");
    Write("work/file", "");
    Spread("one.h", {"a", "c", "work", "work/inner", "sys/usr/include"}, "");
    Spread("two.h", {"b", "d", "work/inner", "sys/usr/include"}, "");
    Spread("near.h", {"a", "d", "work/src", "work"}, "");
    Spread("forced.h", {"b", "c", "d"}, "");
    Spread("here.h", {"a", "b", "work"}, "");
    Spread("cet.h", {"c"}, "");
    Spread("paths.h", {"d"}, "");
    for (const std::string name : {"next.h", "quoted_next.h"}) {
      Spread(name, {"a", "b", "c", "d", "work", "work/inner"}, "#include_next <" + name + ">\n");
      Spread(name, {"end"}, "");
    }
    std::string source;
    for (const std::string& name : kSought) {
      source += "#if __has_include(" + name + ")\n#include " + name + "\n#endif\n";
    }
    Write("work/src/angled.c", "#if __has_include(<here.h>)\n#include <here.h>\n#endif\n");
    for (const char* name : {"m.c", "m.cc", "m.S"}) Write(std::string("work/src/") + name, source);
  }

  const std::string& base() const { return dir_.path(); }
  std::string cwd() const { return base() + "/work"; }

  static inline const std::vector<std::string> kSought = {
      "\"one.h\"", "<one.h>",  "<two.h>", "\"two.h\"", "\"near.h\"",       "<near.h>",
      "<here.h>",  "<next.h>", "<cet.h>", "<paths.h>", "\"quoted_next.h\""};

 private:
  void Write(const std::string& name, std::string_view text) {
    std::ofstream(base() + "/" + name) << text;
  }
  void Spread(const std::string& name, const std::vector<std::string>& folders,
              std::string_view text) {
    for (const std::string& folder : folders) Write(folder + "/" + name, text);
  }

  TempDir dir_;
};

// What the compiler itself says.
struct Truth {
  std::vector<std::string> quote, angle;
  std::vector<std::string> files;  // without the source
};

Result<Truth> Ask(const std::string& driver, const std::vector<std::string>& args,
                  const std::vector<std::string>& env, const std::string& cwd) {
  ProcessOptions options;
  options.program = driver;
  options.argv = {driver, "-M", "-v"};
  options.argv.insert(options.argv.end(), args.begin(), args.end());
  options.env = env;
  options.cwd = cwd;
  const ProcessResult result = *RunProcess(options);
  Truth truth;
  std::vector<std::string>* list = nullptr;
  std::istringstream lines(result.err);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("#include \"")) {
      list = &truth.quote;
    } else if (line.starts_with("#include <")) {
      list = &truth.angle;
    } else if (line.starts_with("End of search")) {
      list = nullptr;
    } else if (list != nullptr) {
      list->push_back(JoinPath(cwd, line.substr(1)));
    }
  }
  if (result.ExitCode() != 0) return Error{Code::kInvalid, result.err};
  ASSIGN_OR_RETURN(truth.files, compiler::ParseDepfile(result.out));
  truth.files.erase(truth.files.begin());
  return truth;
}

std::vector<std::string> OnlyFolders(std::vector<std::string> paths) {
  std::erase_if(paths, [](const std::string& path) { return !fs::is_directory(path); });
  return paths;
}

// The least of scanners: finds the project's includes along a search path.
class Finder {
 public:
  Finder(const Preprocessing& preprocessing, std::string cwd, std::string source_dir)
      : path_(*preprocessing.path), cwd_(std::move(cwd)), source_dir_(std::move(source_dir)) {
    chain_ = path_.quote;
    chain_.insert(chain_.end(), path_.angle.begin(), path_.angle.end());
    for (const ForcedInclude& forced : preprocessing.forced) {
      if (forced.is_angled || !Take(cwd_, forced.name)) {
        Search(forced.name, forced.is_angled ? path_.quote.size() : 0);
      }
    }
    for (const std::string& sought : Project::kSought) {
      const std::string name = sought.substr(1, sought.size() - 2);
      const bool is_angled = sought[0] == '<';
      if (!is_angled && !path_.skips_includer_dir && Take(source_dir_, name)) continue;
      Search(name, is_angled ? path_.quote.size() : 0);
    }
  }
  const std::vector<std::string>& files() const { return files_; }

 private:
  void Search(const std::string& name, size_t from) {
    for (size_t i = from; i < chain_.size(); ++i) {
      if (Take(chain_[i], name) && !name.ends_with("next.h")) return;
    }
  }
  bool Take(const std::string& dir, const std::string& name) {
    const std::string file = fs::path(JoinPath(dir, name)).lexically_normal();
    if (!fs::exists(file)) return false;
    if (std::find(files_.begin(), files_.end(), file) == files_.end()) files_.push_back(file);
    return true;
  }

  const SearchPath& path_;
  const std::string cwd_, source_dir_;
  std::vector<std::string> chain_, files_;
};

std::string Text(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& item : list) out += "\n    " + item;
  return out;
}

compiler::Toolchain ToolchainOf(const std::string& driver) {
  compiler::Toolchain toolchain;
  toolchain.driver = driver;
  toolchain.version = "1";
  toolchain.is_cxx_driver = driver.ends_with("++");
  if (BaseName(driver).starts_with("clang")) {
    toolchain.family = compiler::Family::kClang;
    if (auto said = compiler::RunDriver(driver, {"-dumpversion"}, {})) {
      toolchain.major = std::stoi(said->out);
    }
  } else if (auto said = compiler::RunDriver(driver, {"-print-sysroot"}, {})) {
    toolchain.sysroot = said->out.substr(0, said->out.find('\n'));
  }
  return toolchain;
}

compiler::Command CommandOf(std::vector<std::string> args, const compiler::Toolchain& toolchain,
                            const std::string& cwd) {
  args.insert(args.begin(), "-c");
  return compiler::Parse(args, {.cwd = cwd,
                                .is_clang = toolchain.family == compiler::Family::kClang,
                                .is_cxx_driver = toolchain.is_cxx_driver});
}

// Holds what SearchPaths says of a driver against what the driver says.
class Comparison {
 public:
  explicit Comparison(const std::string& driver) : toolchain_(ToolchainOf(driver)) {}

  // Empty: they agree.
  std::string Compare(const Case& test) {
    const std::string cwd = project_.cwd();
    std::vector<std::string> env = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
    for (std::string& word : Words(test.env, project_.base())) env.push_back(std::move(word));
    std::vector<std::string> args = Words(test.options, project_.base());
    const std::string by_driver = toolchain_.is_cxx_driver ? "src/m.cc" : "src/m.c";
    // The last of all, where chains of #include_next end.
    args.insert(args.end(), {"-idirafter", project_.base() + "/end"});
    args.push_back(test.source.empty() ? by_driver : test.source);
    const compiler::Command command = CommandOf(args, toolchain_, cwd);
    auto found = paths_.Get({.command = &command,
                             .toolchain = &toolchain_,
                             .argv0 = {},
                             .env = env,
                             .cwd = cwd,
                             .cancelled = {}});
    const std::string name = toolchain_.driver + " " + test.options + " " + test.env + ": ";
    if (!found) return name + found.error().message;
    auto asked = Ask(toolchain_.driver, args, env, cwd);
    if (!asked) return name + asked.error().message;
    Truth& truth = *asked;
    const std::vector<std::string> quote = OnlyFolders(found->path->quote);
    const std::vector<std::string> angle = OnlyFolders(found->path->angle);
    std::vector<std::string> files;
    for (const std::string& as_given : truth.files) {
      std::string file = fs::path(JoinPath(cwd, as_given)).lexically_normal();
      if (std::find(files.begin(), files.end(), file) == files.end()) files.push_back(file);
    }
    const Finder finder(*found, cwd, cwd + "/src");
    std::string out;
    if (quote != truth.quote) out += "\n  quote" + Text(quote) + "\n  not" + Text(truth.quote);
    if (angle != truth.angle) out += "\n  angle" + Text(angle) + "\n  not" + Text(truth.angle);
    if (finder.files() != files) {
      out += "\n  files" + Text(finder.files()) + "\n  not" + Text(files);
    }
    return out.empty() ? out : name + out;
  }

  bool Takes(const Case& test) const {
    const char initial = toolchain_.family == compiler::Family::kClang ? 'c' : 'g';
    if (test.drivers.empty()) return true;
    if (test.drivers.find(initial) == std::string::npos) return false;
    return test.drivers.find('+') == std::string::npos || toolchain_.is_cxx_driver;
  }

 private:
  const compiler::Toolchain toolchain_;
  const Project project_;
  SearchPaths paths_;
};

class SearchPathTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (access(GetParam(), X_OK) != 0) GTEST_SKIP() << GetParam() << " is not installed";
  }

  // Most of the time is the compiler's.
  static void CompareAll(const std::vector<Case>& cases) {
    Comparison comparison(GetParam());
    std::atomic<size_t> next = 0;
    const auto work = [&] {
      for (size_t i = next++; i < cases.size(); i = next++) {
        if (!comparison.Takes(cases[i])) continue;
        const std::string difference = comparison.Compare(cases[i]);
        EXPECT_TRUE(difference.empty()) << difference;
      }
    };
    std::thread other(work);
    work();
    other.join();
  }
};

const std::vector<Case>& Cases() {
  static const std::vector<Case> cases = {
      {""},
      // One kind of folder.
      {"-I../a"},
      {"-I ../a -I ../b"},
      {"-I../b -I../a -I../b"},
      {"-I@/a -I@/c -I../a"},
      {"-I. -I../d"},
      {"-Iinner -I./inner -I../work/inner"},
      {"-Imissing -I../c -Imissing/too"},
      {"-iquote ../a"},
      {"-iquote../b -iquote ../a"},
      {"-isystem ../c -isystem../d"},
      {"-idirafter ../c -idirafter../d"},
      {"--include-directory=../a --include-directory-after=../b"},
      {"-I../link_a -I../a"},
      {"-I../a -I../link_a"},
      {"-Ilink_b -I../b/../c"},
      {"-I../a/ -I../a//"},
      {"-Ifile -I../a", "", "g"},
      // One against the other.
      {"-I../a -iquote ../b -isystem ../c -idirafter ../d"},
      {"-idirafter ../d -isystem ../c -iquote ../b -I../a"},
      {"-I../a -isystem ../a"},
      {"-isystem ../a -I../a -I../b"},
      {"-I../a -I../b -isystem ../c -isystem ../link_a"},
      {"-I../a -I../b -idirafter ../a"},
      {"-isystem ../a -idirafter ../a -idirafter ../b"},
      {"-iquote ../a -I../a"},
      {"-iquote ../a -I../b -I../a"},
      {"-iquote ../b -iquote ../a -I../a -I../c"},
      {"-iquote ../a -iquote ../b -iquote ../a -I../a"},
      {"-iquote ../a -iquote missing -I../a"},
      {"-iquote ../a -isystem ../a -I../b"},
      {"-iquote ../a -iquote ../b -idirafter ../b"},
      {"-iquote . -I. -I../c"},
      // Built-in folders named by the user.
      {"-I/usr/include -I../c"},
      {"-I../link_usr -I../c"},
      {"-isystem /usr/include -I../c"},
      {"-isystem ../link_usr -isystem ../d"},
      {"-idirafter /usr/include -idirafter ../c"},
      {"-iquote /usr/include -iquote ../a"},
      {"-I/usr/local/include -I../b -isystem ../a"},
      // The set of built-in folders.
      {"-nostdinc -I../a -isystem ../b"},
      {"-nostdinc"},
      {"-nostdinc++ -isystem ../b"},
      {"-ffreestanding -I../a"},
      {"-ffreestanding -fhosted -x c"},
      {"-nostdlibinc -I../d", "", "c"},
      {"-nobuiltininc -I../d", "", "c"},
      {"-stdlib=libc++", "", "c"},
      {"-stdlib++-isystem ../a -I../b", "", "c+"},
      {"-m32 -I../a"},
      {"-march=x86-64 -mtune=generic -msse4.2 -I../a"},
      // A compiler that makes PIE by default takes the one only with the other.
      {"-mcmodel=kernel -fno-PIE -I../a"},
      {"--target=i386-linux-gnu -I../a", "", "c"},
      {"-target aarch64-linux-gnu -I../a", "", "c"},
      {"--gcc-toolchain=/nowhere -I../a", "", "c"},
      {"-no-canonical-prefixes -I../a"},
      {"-B ../sys -I../a"},
      {"-B/usr/bin -I../a"},
      // Sysroots.
      {"--sysroot=@/sys -I../a"},
      {"--sysroot=../sys -I../b"},
      {"--sysroot ../sys -I=/usr/include -I../b"},
      {"-isysroot @/sys -isystem =/usr/include -I../b", "", "g"},
      {"--sysroot=@/sys -I=usr/include"},
      {"--sysroot=@ -iquote =/a -idirafter =/b -I=/c", "", "g"},
      {"--sysroot=@ -I$SYSROOT/a -I../b"},
      {"-I=/usr/include -I../b"},
      {"-isystem ../c -I$SYSROOT/a"},
      // Languages of folders.
      {"-cxx-isystem ../a -isystem ../b", "", "c"},
      {"-x c++ -I../a"},
      {"-x c -isystem ../b"},
      {"-I../a -isystem ../b", "C_INCLUDE_PATH=@/c CPLUS_INCLUDE_PATH=@/d", "", "src/m.S"},
      // Variables.
      {"-I../a", "CPATH=@/b:@/c"},
      {"-I../a -isystem ../d", "CPATH=../b::inner"},
      {"", "CPATH=:../b:"},
      {"-I../a", "CPATH="},
      {"-I../a -isystem ../b", "C_INCLUDE_PATH=@/c:../d"},
      {"-I../a -isystem ../b", "CPLUS_INCLUDE_PATH=../d:@/c"},
      {"-I../a", "C_INCLUDE_PATH=../a:../b CPLUS_INCLUDE_PATH=../a:../c"},
      {"-isystem ../a -idirafter ../c", "CPATH=../c C_INCLUDE_PATH=../d:"},
      {"-nostdinc", "CPATH=../c C_INCLUDE_PATH=../d CPLUS_INCLUDE_PATH=../b"},
      {"-isystem ../c -cxx-isystem ../a", "CPLUS_INCLUDE_PATH=../d", "c"},
      // Files that come first.
      {"-include forced.h -I../b"},
      {"-include here.h -I../b"},
      {"-include forced.h -iquote ../c -I../b"},
      {"-imacros here.h -include forced.h -I../d"},
      {"-include forced.h -imacros here.h -I../d -include one.h"},
      {"-include @/c/one.h -I../a"},
      {"--include=forced.h --imacros=here.h -I../d"},
      {"-include near.h -I../a"},
      {"-include cet.h -I../c"},
      // -I-.
      {"-I../a -I- -I../b", "", "g"},
      {"-I../a -I- -I../b -iquote ../c", "", "g"},
      {"-iquote ../c -I../a -I- -I../b", "CPATH=../d", "g"},
      {"-I- -I../b -include near.h", "", "g"},
      // Through the preprocessor's own option.
      {"-Wp,-I../b -I../a"},
      {"-Wp,-I../b,-DX=1 -I../a", "CPATH=../c"},
      {"-Wp,-DX,-UX -I../a"},
  };
  return cases;
}

TEST_P(SearchPathTest, IsTheCompilersOwn) { CompareAll(Cases()); }

Case RandomCase(std::mt19937& random, bool is_gcc) {
  const auto pick = [&](const auto& list) -> std::string { return list[random() % list.size()]; };
  const auto folders = std::to_array<const char*>(
      {"../a", "../b", "../c", "../d", "@/a", "@/d", "../link_a", "link_b", "inner", ".", "missing",
       "../work/inner", "/usr/include", "../link_usr", "/usr/local/include", "../a/../c"});
  const auto kinds = std::to_array<const char*>(
      {"-I", "-I", "-I ", "-iquote ", "-isystem ", "-isystem", "-idirafter ", "-iquote"});
  const auto files =
      std::to_array<const char*>({"here.h", "near.h", "one.h", "../b/two.h", "cet.h"});
  Case out;
  for (size_t n = random() % 9; n > 0; --n) out.options += pick(kinds) + pick(folders) + " ";
  if (is_gcc && random() % 8 == 0) {
    out.options += "-I- ";
    for (size_t n = random() % 4; n > 0; --n) out.options += pick(kinds) + pick(folders) + " ";
  }
  if (random() % 16 == 0) out.options += "-nostdinc ";
  if (random() % 16 == 0) out.options += "-ffreestanding ";
  for (const char* option : {"-include ", "-imacros "}) {
    if (random() % 6 == 0) {
      // Everywhere, so that it is found.
      out.options += option + pick(files) + " -I../a -I../c -I../b ";
    }
  }
  for (const char* name : {"CPATH=", "C_INCLUDE_PATH=", "CPLUS_INCLUDE_PATH="}) {
    if (random() % 5 != 0) continue;
    out.env += name + pick(folders);
    for (size_t n = random() % 3; n > 0; --n) {
      out.env += ":" + (random() % 6 == 0 ? std::string() : pick(folders));
    }
    out.env += " ";
  }
  return out;
}

TEST_P(SearchPathTest, IsTheCompilersOwnForAnyOrder) {
  const bool is_gcc = BaseName(GetParam()).starts_with("g");
  std::mt19937 random(12);
  std::vector<Case> cases;
  // clang takes three times as long to start.
  for (int i = is_gcc ? 150 : 40; i > 0; --i) cases.push_back(RandomCase(random, is_gcc));
  CompareAll(cases);
}

TEST_P(SearchPathTest, TellsWhatItLeftOut) {
  const Project project;
  const std::string base = project.base();
  const compiler::Toolchain toolchain = ToolchainOf(GetParam());
  const std::vector<std::string> args =
      Words("-nostdinc -I@/a -I@/missing -I@/link_a src/angled.c", base);
  const std::vector<std::string> env = {"PATH=/usr/bin:/bin",
                                        "CPATH=" + base + "/b:" + base + "/work/link_b"};
  const compiler::Command command = CommandOf(args, toolchain, project.cwd());
  SearchPaths paths;
  const auto found = paths.Get({.command = &command,
                                .toolchain = &toolchain,
                                .argv0 = {},
                                .env = env,
                                .cwd = project.cwd(),
                                .cancelled = {}});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->path->left_out,
            (std::vector<std::string>{base + "/link_a", base + "/work/link_b"}));
}

// To gcc it is an error, which a compile without that file or link would not have.
TEST_P(SearchPathTest, RefusesWhatIsNeitherAFolderNorMissingToGcc) {
  const Project project;
  fs::create_directory_symlink("loop", project.base() + "/loop");
  const compiler::Toolchain toolchain = ToolchainOf(GetParam());
  const std::vector<std::string> env = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  for (const std::string folder : {"file/.", "../loop", "missing/."}) {
    const std::vector<std::string> args = {"-I" + folder, "src/angled.c"};
    const compiler::Command command = CommandOf(args, toolchain, project.cwd());
    SearchPaths paths;
    const auto found = paths.Get({.command = &command,
                                  .toolchain = &toolchain,
                                  .argv0 = {},
                                  .env = env,
                                  .cwd = project.cwd(),
                                  .cancelled = {}});
    const auto asked = Ask(toolchain.driver, args, env, project.cwd());
    EXPECT_EQ(found.has_value(), asked.has_value()) << folder;
  }
}

// gcc then has no chain for <x> of its own; clang finds nothing.
TEST_P(SearchPathTest, SaysWhetherAngledNamesAreSoughtAmongQuotedOnes) {
  const Project project;
  const compiler::Toolchain toolchain = ToolchainOf(GetParam());
  const std::vector<std::string> env = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  for (const std::string options : {"-iquote ../b -Imissing", "-iquote ../b -I../c"}) {
    std::vector<std::string> args = Words("-nostdinc " + options, project.base());
    args.emplace_back("src/angled.c");
    const compiler::Command command = CommandOf(args, toolchain, project.cwd());
    SearchPaths paths;
    const auto found = paths.Get({.command = &command,
                                  .toolchain = &toolchain,
                                  .argv0 = {},
                                  .env = env,
                                  .cwd = project.cwd(),
                                  .cancelled = {}});
    ASSERT_TRUE(found);
    const auto asked = Ask(toolchain.driver, args, env, project.cwd());
    ASSERT_TRUE(asked) << asked.error().message;
    const bool is_found = std::count(asked->files.begin(), asked->files.end(), "../b/here.h") > 0;
    EXPECT_EQ(found->path->angle_is_quote, is_found) << options;
  }
}

INSTANTIATE_TEST_SUITE_P(Drivers, SearchPathTest,
                         testing::Values("/usr/bin/gcc", "/usr/bin/g++", "/usr/bin/clang",
                                         "/usr/bin/clang++"),
                         [](const auto& param) {
                           std::string name(BaseName(param.param));
                           for (char& c : name) c = c == '+' ? 'x' : c;
                           return name;
                         });

}  // namespace
}  // namespace llama::scan
