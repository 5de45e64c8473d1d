#include "compiler/discovery.h"

#include <algorithm>
#include <charconv>

#include "base/environment.h"
#include "base/file.h"
#include "base/process.h"
#include "base/search_path.h"
#include "compiler/elf.h"
#include "compiler/response_file.h"

namespace llama::compiler {
namespace {

constexpr int64_t kDriverTimeoutMs = 20'000;
constexpr std::string_view kPreloadInterpreter = "/lib64/ld-linux-x86-64.so.2";

std::vector<std::string_view> Lines(std::string_view text) {
  std::vector<std::string_view> out;
  for (size_t i = 0; i < text.size();) {
    const size_t end = std::min(text.find('\n', i), text.size());
    out.push_back(text.substr(i, end - i));
    i = end + 1;
  }
  return out;
}

std::string FirstLine(std::string_view text) {
  return std::string(text.substr(0, std::min(text.find('\n'), text.size())));
}

void AddOnce(std::vector<std::string>& list, std::string item) {
  if (std::find(list.begin(), list.end(), item) == list.end()) list.push_back(std::move(item));
}

// The number after `prefix` in `text`; 0 if there is none.
int NumberAfter(std::string_view text, std::string_view prefix) {
  const size_t found = text.find(prefix);
  if (found == text.npos) return 0;
  text.remove_prefix(found + prefix.size());
  int number = 0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

class Discovery {
 public:
  Discovery(const std::string& driver, const std::vector<std::string>& env, Toolchain& toolchain)
      : env_(env), toolchain_(toolchain) {
    Selection selection = std::move(toolchain_.selection);
    toolchain_ = {};
    toolchain_.selection = std::move(selection);
    toolchain_.driver = driver;
  }

  Result<void> Run() {
    toolchain_.can_preload = true;
    TRY(AddProgram(toolchain_.driver));
    TRY(Identify());
    if (toolchain_.family == Family::kGcc) {
      TRY(AddGccPrograms());
    } else if (RunsAssembler()) {
      TRY(AddClangAssembler());
    }
    for (const std::string& program : toolchain_.selection.programs) TRY(AddLibrary(program));
    TRY(AddSearchPath("c"));
    // The driver fails where the C++ compiler is not installed; then there is nothing to add.
    const Result<void> cxx = AddSearchPath("c++");
    if (!cxx && cxx.error().code != Code::kInvalid) return cxx;
    AddLocale();
    return {};
  }

 private:
  Result<DriverOutput> Run(const std::vector<std::string>& args) {
    std::vector<std::string> all = toolchain_.selection.options;
    all.insert(all.end(), args.begin(), args.end());
    return RunDriver(toolchain_.driver, all, env_, toolchain_.selection.cwd);
  }
  Result<std::string> Ask(const std::vector<std::string>& args) {
    ASSIGN_OR_RETURN(const DriverOutput output, Run(args));
    return FirstLine(output.out);
  }
  // As it was selected with a relative name.
  std::string Absolute(std::string_view path) const {
    return JoinPath(toolchain_.selection.cwd, path);
  }
  bool RunsAssembler() const {
    const auto& options = toolchain_.selection.options;
    return std::any_of(options.begin(), options.end(), [](std::string_view option) {
      return option == "-no-integrated-as" || option == "-fno-integrated-as";
    });
  }

  Result<void> Identify();
  Result<void> AddGccPrograms();
  Result<void> AddClangAssembler();
  Result<void> AddLibrary(const std::string& path);
  Result<void> AddProgram(const std::string& path);
  Result<void> AddSearchPath(const std::string& language);
  void AddGccInstallation(std::string_view line);
  void AddDistribution();
  void AddLocale();
  void AddDir(const std::string& path) {
    if (IsDirectory(path)) AddOnce(toolchain_.dirs, path);
  }

  const std::vector<std::string>& env_;
  Toolchain& toolchain_;
};

// By what the resolved program says under its own name: a launcher like ccache, linked under a
// compiler's name, answers as itself there.
Result<void> Discovery::Identify() {
  ASSIGN_OR_RETURN(const std::string real, RealPath(toolchain_.driver));
  ASSIGN_OR_RETURN(const DriverOutput own, RunDriver(real, {"--version"}, env_));
  const bool is_clang = own.out.find("clang version ") != std::string::npos;
  if (!is_clang && own.out.find("Free Software Foundation") == std::string::npos) {
    return Error{Code::kInvalid, toolchain_.driver + ": neither gcc nor clang"};
  }
  // Another program that says the same runs a compiler, by variables and files of its own.
  constexpr std::string_view kGccsOwn = "COLLECT_GCC";
  constexpr std::string_view kClangsOwn = "-cc1as";
  ASSIGN_OR_RETURN(const bool is_itself, HoldsWord(real, is_clang ? kClangsOwn : kGccsOwn));
  if (!is_itself) return Error{Code::kInvalid, toolchain_.driver + ": runs another compiler"};
  ASSIGN_OR_RETURN(toolchain_.version, Ask({"--version"}));
  const auto is_cxx = [](std::string_view path) { return BaseName(path).find("++") != path.npos; };
  if (is_clang) {
    toolchain_.family = Family::kClang;
    toolchain_.major = NumberAfter(own.out, "clang version ");
    toolchain_.is_cxx_driver = is_cxx(toolchain_.driver);
    AddDistribution();
  } else {
    ASSIGN_OR_RETURN(const std::string version, Ask({"-dumpversion"}));
    toolchain_.major = NumberAfter(version, "");
    toolchain_.is_cxx_driver = is_cxx(toolchain_.driver) || is_cxx(real);
    ASSIGN_OR_RETURN(toolchain_.sysroot, Ask({"-print-sysroot"}));
  }
  return {};
}

Result<void> Discovery::AddGccPrograms() {
  bool has_front_end = false;
  std::string own_dir;
  for (const std::string name : {"cc1", "cc1plus", "as", "objcopy"}) {
    ASSIGN_OR_RETURN(std::string path, Ask({std::string("-print-prog-name=").append(name)}));
    // A bare name: not in gcc's own folders, so it is taken from PATH.
    const bool in_path = path.find('/') == path.npos;
    if (in_path) {
      const char* dirs = FindVariable(env_, "PATH");
      path = FindProgram(name, dirs != nullptr ? dirs : kDefaultSearchPath);
      toolchain_.from_path.emplace_back(name, path);
      if (!own_dir.empty()) toolchain_.missing.push_back(JoinPath(own_dir, name));
    } else if (own_dir.empty() && name.starts_with("cc1")) {
      own_dir = DirName(path);
    }
    if (path.empty() || !IsRegularFile(Absolute(path))) {
      if (name == "as") return Error{Code::kInvalid, toolchain_.driver + ": no assembler"};
      continue;
    }
    has_front_end |= name.starts_with("cc1");
    path = Absolute(path);
    TRY(AddProgram(path));
    if (in_path) AddOnce(toolchain_.path_dirs, std::string(DirName(path)));
  }
  if (!has_front_end) return Error{Code::kInvalid, toolchain_.driver + ": no cc1 and no cc1plus"};
  ASSIGN_OR_RETURN(const std::string specs, Ask({"-print-file-name=specs"}));
  if (std::string_view(specs) != "specs") AddOnce(toolchain_.files, Absolute(specs));
  return {};
}

// clang takes the one of the GCC installation that it found, or else that of PATH.
Result<void> Discovery::AddClangAssembler() {
  ASSIGN_OR_RETURN(std::string path, Ask({"-print-prog-name=as"}));
  if (path.find('/') == path.npos) {
    const char* dirs = FindVariable(env_, "PATH");
    path = FindProgram("as", dirs != nullptr ? dirs : kDefaultSearchPath);
  }
  toolchain_.from_path.emplace_back("as", path);
  if (path.empty()) return Error{Code::kInvalid, toolchain_.driver + ": no assembler"};
  TRY(AddProgram(Absolute(path)));
  AddOnce(toolchain_.path_dirs, std::string(DirName(Absolute(path))));
  return {};
}

// What a front end loads.
Result<void> Discovery::AddLibrary(const std::string& path) {
  if (!IsRegularFile(path)) {
    toolchain_.missing.push_back(path);
    return {};
  }
  AddOnce(toolchain_.files, path);
  ASSIGN_OR_RETURN(const std::vector<std::string> libraries,
                   ListLibraries(path, std::string(kPreloadInterpreter), env_));
  for (const std::string& library : libraries) {
    AddOnce(toolchain_.files, library);
    AddOnce(toolchain_.library_dirs, std::string(DirName(library)));
  }
  return {};
}

// The program, its loader, and its libraries.
Result<void> Discovery::AddProgram(const std::string& path) {
  ASSIGN_OR_RETURN(const ElfProgram elf, ReadElfProgram(path));
  AddOnce(toolchain_.files, path);
  if (!elf.is_x86_64 || elf.interpreter != kPreloadInterpreter) toolchain_.can_preload = false;
  if (elf.interpreter.empty()) return {};
  AddOnce(toolchain_.files, elf.interpreter);
  ASSIGN_OR_RETURN(const std::vector<std::string> libraries,
                   ListLibraries(path, elf.interpreter, env_));
  for (const std::string& library : libraries) {
    AddOnce(toolchain_.files, library);
    AddOnce(toolchain_.library_dirs, std::string(DirName(library)));
  }
  return {};
}

// What setlocale needs for the quotes around names in diagnostics. LOCPATH leads to it there.
void Discovery::AddLocale() {
  const std::string dir = "/usr/lib/locale";
  for (const char* name : {"/C.utf8", "/C.UTF-8"}) {
    for (const char* category : {"/LC_CTYPE", "/LC_MESSAGES/SYS_LC_MESSAGES"}) {
      const std::string file = (dir + name) + category;
      if (!IsRegularFile(file)) continue;
      AddOnce(toolchain_.files, file);
      toolchain_.locale_dir = dir;
    }
  }
}

// Reads the lines of `-v -E`: the folders of the search path, those that it dropped because
// another one is the same folder, and clang's GCC installations and configuration files.
Result<void> Discovery::AddSearchPath(const std::string& language) {
  ASSIGN_OR_RETURN(const DriverOutput output, Run({"-v", "-E", "-x", language, "/dev/null"}));
  bool in_list = false;
  for (const std::string_view line : Lines(output.err)) {
    constexpr std::string_view kDuplicate = "ignoring duplicate directory \"";
    constexpr std::string_view kConfig = "Configuration file: ";
    constexpr std::string_view kSpecs = "Reading specs from ";
    if (line.starts_with("#include ")) {
      in_list = true;
    } else if (in_list && line.starts_with(' ')) {
      AddDir(Absolute(line.substr(1)));
    } else if (line.starts_with("End of search list")) {
      in_list = false;
    } else if (line.starts_with(kDuplicate) && line.ends_with('"')) {
      AddDir(Absolute(line.substr(kDuplicate.size(), line.size() - kDuplicate.size() - 1)));
    } else if (line.starts_with(kConfig)) {
      AddOnce(toolchain_.files, Absolute(line.substr(kConfig.size())));
    } else if (line.starts_with(kSpecs)) {
      AddOnce(toolchain_.files, Absolute(line.substr(kSpecs.size())));
    } else if (toolchain_.family == Family::kClang) {
      AddGccInstallation(line);
    }
  }
  return {};
}

// clang believes in a GCC installation where it finds crtbegin.o.
void Discovery::AddGccInstallation(std::string_view line) {
  constexpr std::string_view kCandidate = "Found candidate GCC installation: ";
  constexpr std::string_view kSelected = "Selected GCC installation: ";
  const bool selected = line.starts_with(kSelected);
  if (!selected && !line.starts_with(kCandidate)) return;
  const std::string dir(line.substr(selected ? kSelected.size() : kCandidate.size()));
  AddDir(dir);
  for (const char* start_file : {"/crtbegin.o", "/crtbeginT.o", "/32/crtbegin.o"}) {
    if (IsRegularFile(dir + start_file)) AddOnce(toolchain_.files, dir + start_file);
  }
}

// Where clang looks which distribution it is on (lib/Driver/Distro.cpp), which decides about
// defaults.
void Discovery::AddDistribution() {
  for (const char* file :
       {"/etc/os-release", "/usr/lib/os-release", "/etc/lsb-release", "/etc/redhat-release",
        "/etc/debian_version", "/etc/SuSE-release", "/etc/exherbo-release", "/etc/alpine-release",
        "/etc/arch-release", "/etc/gentoo-release"}) {
    if (IsRegularFile(file)) {
      AddOnce(toolchain_.files, file);
    } else {
      toolchain_.missing.emplace_back(file);
    }
  }
}

}  // namespace

Result<DriverOutput> RunDriver(const std::string& driver, const std::vector<std::string>& args,
                               const std::vector<std::string>& env, const std::string& cwd) {
  ProcessOptions options;
  options.program = driver;
  options.argv.push_back(driver);
  options.argv.insert(options.argv.end(), args.begin(), args.end());
  for (const std::string& entry : env) {
    // Messages are read here.
    if (!entry.starts_with("LC_") && !entry.starts_with("LANG")) options.env.push_back(entry);
  }
  options.env.emplace_back("LC_ALL=C");
  options.cwd = cwd.empty() ? "/" : cwd;
  options.timeout_ms = kDriverTimeoutMs;
  options.max_output_bytes = 4u << 20;
  ASSIGN_OR_RETURN(ProcessResult result, RunProcess(options));
  if (result.ExitCode() != 0) {
    std::string what = driver;
    for (const std::string& arg : args) what.append(" ").append(arg);
    return Error{Code::kInvalid, what.append(": exit status ") + std::to_string(result.ExitCode())};
  }
  return DriverOutput{std::move(result.out), std::move(result.err)};
}

std::vector<std::string> FrontEndWords(std::string_view trace) {
  for (const std::string_view line : Lines(trace)) {
    if (!line.starts_with(' ')) continue;
    std::vector<std::string> words = SplitResponse(line);
    if (words.empty()) continue;
    const std::string_view program = BaseName(words[0]);
    const bool is_clang = words.size() > 1 && words[1] == "-cc1";
    if (program == "cc1" || program == "cc1plus" || is_clang) return words;
  }
  return {};
}

Result<Toolchain> Discover(const std::string& driver, const std::vector<std::string>& env,
                           Toolchain& seen) {
  if (!driver.starts_with('/')) return Error{Code::kInvalid, driver + ": not an absolute path"};
  TRY(Discovery(driver, env, seen).Run());
  return seen;
}

}  // namespace llama::compiler
