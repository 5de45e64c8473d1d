// A project whose headers are in several folders, and what SearchPaths says of it held against the
// compilers themselves: their lists of folders (-v), and the files that they find (-M).
#pragma once

#include <unistd.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/environment.h"
#include "base/file.h"
#include "base/process.h"
#include "compiler/discovery.h"
#include "compiler/plan.h"
#include "scan/search/search_path.h"

namespace llama::scan {

namespace fs = std::filesystem;

// Words of an option line; '@' stands for the base folder.
inline std::vector<std::string> Words(const std::string& line, const std::string& base) {
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
         {"a", "b", "c", "d", "cwd", "cwd/src", "cwd/inner", "sys/usr/include", "end"}) {
      fs::create_directories(base() + "/" + folder);
    }
    fs::create_directory_symlink("a", base() + "/link_a");
    fs::create_directory_symlink("/usr/include", base() + "/link_usr");
    fs::create_directory_symlink("../b", base() + "/cwd/link_b");
    Write("cwd/file", "");
    Spread("one.h", {"a", "c", "cwd", "cwd/inner", "sys/usr/include"}, "");
    Spread("two.h", {"b", "d", "cwd/inner", "sys/usr/include"}, "");
    Spread("near.h", {"a", "d", "cwd/src", "cwd"}, "");
    Spread("forced.h", {"b", "c", "d"}, "");
    Spread("here.h", {"a", "b", "cwd"}, "");
    Spread("cet.h", {"c"}, "");
    Spread("paths.h", {"d"}, "");
    for (const std::string name : {"next.h", "quoted_next.h"}) {
      Spread(name, {"a", "b", "c", "d", "cwd", "cwd/inner"}, "#include_next <" + name + ">\n");
      Spread(name, {"end"}, "");
    }
    std::string source;
    for (const std::string& name : kSought) {
      source += "#if __has_include(" + name + ")\n#include " + name + "\n#endif\n";
    }
    Write("cwd/src/angled.c", "#if __has_include(<here.h>)\n#include <here.h>\n#endif\n");
    for (const char* name : {"m.c", "m.cc", "m.S"}) Write(std::string("cwd/src/") + name, source);
  }

  const std::string& base() const { return dir_.path(); }
  std::string cwd() const { return base() + "/cwd"; }

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

inline Result<Truth> Ask(const std::string& driver, const std::vector<std::string>& args,
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

inline std::vector<std::string> OnlyFolders(std::vector<std::string> paths) {
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

inline std::string Text(const std::vector<std::string>& list) {
  std::string out;
  for (const std::string& item : list) out += "\n    " + item;
  return out;
}

inline compiler::Toolchain ToolchainOf(const std::string& driver) {
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

inline compiler::Command CommandOf(std::vector<std::string> args,
                                   const compiler::Toolchain& toolchain, const std::string& cwd) {
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

}  // namespace llama::scan
