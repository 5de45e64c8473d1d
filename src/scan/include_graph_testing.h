// A random project below a folder: folders, links, headers that include each other and a command
// that compiles one source of it; and random changes to it, as people, build systems and package
// managers make them. The same seed makes the same graph.
//
// What is to stay for the command to mean anything (the working folder, the source) stays.
#pragma once

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.h"
#include "scan/include_text_testing.h"

namespace llama::scan {

class IncludeGraph {
 public:
  // `root` is canonical, and empty.
  IncludeGraph(std::string root, uint32_t seed, TextUse use = TextUse::kPreprocessed)
      : root_(std::move(root)), chance_(seed), use_(use) {
    MakeFolders();
    MakeFiles();
    MakeCommands();
  }

  // Of different options each.
  static constexpr size_t kCommands = 2;

  std::string cwd() const { return root_ + "/work"; }
  const std::vector<std::string>& env() const { return env_; }
  // Options and source, as gcc and clang take them.
  const std::vector<std::string>& args(size_t command) const { return commands_[command]; }
  Chance& chance() { return chance_; }

  // Makes one change and says which. `is_unrelated`: it can be none of the compile's business.
  std::string Change(bool& is_unrelated);

  // All of it, for whoever must find out what is wrong.
  std::string Dump() const;

 private:
  std::string Path(const std::string& name) const { return root_ + "/" + name; }
  std::string Name() { return std::string(chance_.Pick(kHeaderNames)); }
  // A folder that is there, or a link to one.
  std::string Folder() { return chance_.OneIn(3) ? chance_.Pick(links_) : chance_.Pick(real_); }
  std::string AnyFolder() { return chance_.OneIn(5) ? chance_.Pick(missing_) : Folder(); }
  std::string From(const std::string& folder, const std::string& target) const {
    return std::filesystem::path(target).lexically_relative(folder).string();
  }
  std::vector<std::string> NamesIn(const std::string& folder) const {
    auto names = ListDir(Path(folder));
    return names ? *names : std::vector<std::string>();
  }
  // A header below the root, links among them; from the root on.
  std::string File();
  std::string Text(const std::string& folder) { return text_->Make(folder, {}); }

  void Write(const std::string& name, const std::string& text) {
    (void)MakeDirs(std::string(DirName(Path(name))));
    (void)WriteFileAtomic(Path(name), text, 0644);
  }
  void Overwrite(const std::string& name, const std::string& text, int flags) {
    auto file = OpenFile(Path(name), O_WRONLY | flags, 0644);
    if (file) (void)WriteAll(file->get(), text, name);
  }
  void Link(const std::string& name, const std::string& target) {
    (void)MakeDirs(std::string(DirName(Path(name))));
    // In one step, as `ln -sfn` doesn't.
    const std::string fresh = Path(name) + "~";
    if (symlink(target.c_str(), fresh.c_str()) == 0 &&
        rename(fresh.c_str(), Path(name).c_str()) != 0) {
      unlink(fresh.c_str());
    }
  }
  std::string TargetFrom(const std::string& folder, const std::string& target) {
    return chance_.OneIn(3) ? Path(target) : From(folder, target);
  }

  void MakeFolders();
  void MakeFiles();
  void MakeCommand();
  void MakeCommands();
  std::string SpeltFolder();

  bool Alter(std::string& text);
  std::string EditInPlace();
  std::string EditWithoutTrace();
  std::string EditThroughMapping();
  std::string TurnFolderLink();
  std::string SwapFolders();
  std::string ChangeFolders();
  std::string ChangeKind();
  std::string EditHardLink();

  const std::string root_;
  Chance chance_;
  const TextUse use_;
  std::vector<std::string> real_, links_, missing_;
  std::vector<std::pair<std::string, std::string>> hard_links_;
  std::unique_ptr<IncludeText> text_;
  std::vector<std::string> env_ = {"PATH=/usr/bin:/bin", "LC_ALL=C"};
  std::vector<std::string> args_;
  std::array<std::vector<std::string>, kCommands> commands_;
  int next_ = 0;
};

inline void IncludeGraph::MakeFolders() {
  real_ = {"src", "work", "inc", "inc/sub"};
  for (const char* folder : {"lib", "lib/sub", "inc/deep", "lib/include", "third/a/b", "work/sub",
                             "src/deep", "third/sub"}) {
    if (chance_.OneIn(2)) real_.emplace_back(folder);
  }
  for (const std::string& folder : real_) (void)MakeDirs(Path(folder));
  (void)MakeDirs(Path("end"));
  for (const char* link : {"ln", "inc/ln", "work/ln", "lib2/ln", "src/sub"}) {
    const std::string target =
        links_.empty() || !chance_.OneIn(4) ? chance_.Pick(real_) : chance_.Pick(links_);
    Link(link, TargetFrom(std::string(DirName(link)), target));
    links_.emplace_back(link);
  }
  missing_ = {"none", "none/sub", "lib/none", "work/none", "gen"};
}

inline void IncludeGraph::MakeFiles() {
  std::vector<std::string> all = real_;
  all.insert(all.end(), links_.begin(), links_.end());
  all.insert(all.end(), missing_.begin(), missing_.end());
  text_ = std::make_unique<IncludeText>(chance_, root_, all, use_);
  std::vector<std::string> files;
  for (const std::string& folder : real_) {
    std::vector<std::string> names;
    for (const std::string_view name : kHeaderNames) {
      if (chance_.OneIn(2)) names.emplace_back(name);
    }
    for (const std::string& name : names) {
      files.push_back(folder + "/" + name);
      Write(files.back(), text_->Make(folder, names));
    }
    if (folder == "src") Write("src/main.c", text_->MakeSource(folder, names));
  }
  if (chance_.OneIn(6)) {
    Write("elsewhere/main.c", *ReadFile(Path("src/main.c")));
    Link("src/main.c", TargetFrom("src", "elsewhere/main.c"));
  }
  for (size_t n = chance_.Below(5); n > 0 && !files.empty(); --n) {
    const std::string folder = chance_.Pick(real_);
    Link(folder + "/" + Name(), TargetFrom(folder, chance_.Pick(files)));
  }
  for (size_t n = chance_.Below(3); n > 0 && !files.empty(); --n) {
    const std::string other = chance_.Pick(real_) + "/" + Name();
    const std::string name = chance_.Pick(files);
    if (link(Path(name).c_str(), Path(other).c_str()) == 0) hard_links_.emplace_back(name, other);
  }
}

inline std::string IncludeGraph::SpeltFolder() {
  const std::string folder = AnyFolder();
  switch (chance_.Below(5)) {
    case 0:
      return Path(folder);
    case 1:
      return Path(chance_.Pick(real_)) + "/../" + std::string(BaseName(folder));
    case 2:
      return "../" + folder + (chance_.OneIn(2) ? "/" : "/.");
    case 3:
      return "../inc/sub/../../" + folder;
    default:
      return folder == "work" ? "." : "../" + folder;
  }
}

inline void IncludeGraph::MakeCommand() {
  constexpr auto kKinds =
      std::to_array<std::string_view>({"-I", "-I", "-I", "-iquote", "-isystem", "-idirafter"});
  for (size_t n = 1 + chance_.Below(8); n > 0; --n) {
    const std::string kind(chance_.Pick(kKinds));
    if (chance_.OneIn(2)) {
      args_.push_back(kind + SpeltFolder());
    } else {
      args_.insert(args_.end(), {kind, SpeltFolder()});
    }
  }
  if (!chance_.OneIn(4)) args_.emplace_back("-nostdinc");
  if (chance_.OneIn(4)) args_.emplace_back("-trigraphs");
  for (const char* macro : {"M0", "M1", "M2"}) {
    if (chance_.OneIn(3)) args_.push_back("-D" + std::string(macro) + "=" + text_->MacroValue());
  }
  if (chance_.OneIn(4)) args_.emplace_back("-DF0(x)=<x.h>");
  if (chance_.OneIn(3)) args_.emplace_back("-DX1");
  if (chance_.OneIn(5)) args_.emplace_back("-UX2");
  for (const char* option : {"-include", "-imacros"}) {
    if (!chance_.OneIn(4)) continue;
    const std::string file = File();
    args_.insert(args_.end(),
                 {option, chance_.OneIn(3) ? std::string(BaseName(file)) : "../" + file});
  }
  // Where chains of #include_next end.
  if (!chance_.OneIn(8)) args_.insert(args_.end(), {"-idirafter", "../end"});
  if (chance_.OneIn(8)) env_.push_back("CPATH=" + SpeltFolder() + ":" + SpeltFolder());
  args_.push_back(chance_.OneIn(3) ? Path("src/main.c") : "../src/main.c");
}

inline void IncludeGraph::MakeCommands() {
  for (size_t i = 0; i < kCommands; ++i) {
    args_.clear();
    MakeCommand();
    commands_[i] = args_;
  }
}

inline std::string IncludeGraph::File() {
  std::vector<std::string> files;
  std::error_code error;
  for (const auto& item : std::filesystem::recursive_directory_iterator(root_, error)) {
    if (item.symlink_status().type() == std::filesystem::file_type::directory) continue;
    const std::string name = item.path().string().substr(root_.size() + 1);
    const std::string_view base = BaseName(name);
    if (std::find(kHeaderNames.begin(), kHeaderNames.end(), base) != kHeaderNames.end()) {
      files.push_back(name);
    }
  }
  std::sort(files.begin(), files.end());
  return files.empty() ? "inc/a.h" : chance_.Pick(files);
}

inline std::string IncludeGraph::EditInPlace() {
  const std::string name = File();
  Overwrite(name, Text(std::string(DirName(name))), O_TRUNC);
  return "edit in place " + name;
}

// Another header's name in the place of one; the size is the same.
inline bool IncludeGraph::Alter(std::string& text) {
  std::vector<size_t> places;
  for (size_t at = text.find(".h"); at != text.npos; at = text.find(".h", at + 1)) {
    if (at > 0 && text[at - 1] >= 'a' && text[at - 1] <= 'd') places.push_back(at - 1);
  }
  if (places.empty()) return false;
  text[chance_.Pick(places)] = static_cast<char>('a' + static_cast<char>(chance_.Below(4)));
  return true;
}

inline std::string IncludeGraph::EditWithoutTrace() {
  const std::string name = chance_.OneIn(4) ? "src/main.c" : File();
  auto text = ReadFile(Path(name));
  struct stat st {};
  if (!text || stat(Path(name).c_str(), &st) != 0 || !Alter(*text)) return "nothing";
  Overwrite(name, *text, 0);
  const timespec times[] = {st.st_atim, st.st_mtim};
  utimensat(AT_FDCWD, Path(name).c_str(), times, 0);
  return "edit without a trace " + name;
}

inline std::string IncludeGraph::EditThroughMapping() {
  const std::string name = File();
  auto text = ReadFile(Path(name));
  auto file = OpenFile(Path(name), O_RDWR);
  if (!text || !file || !Alter(*text)) return "nothing";
  void* const bytes =
      mmap(nullptr, text->size(), PROT_READ | PROT_WRITE, MAP_SHARED, file->get(), 0);
  if (bytes == MAP_FAILED) return "nothing";
  std::copy(text->begin(), text->end(), static_cast<char*>(bytes));
  munmap(bytes, text->size());
  return "edit through a mapping " + name;
}

inline std::string IncludeGraph::TurnFolderLink() {
  const std::string link = chance_.Pick(links_);
  if (chance_.OneIn(4)) {
    unlink(Path(link).c_str());
    if (chance_.OneIn(2)) return "remove the link " + link;
    (void)MakeDirs(Path(link));
    if (chance_.OneIn(2)) Write(link + "/" + Name(), Text(link));
    return "make a folder of the link " + link;
  }
  const std::string target = AnyFolder();
  struct stat st {};
  if (lstat(Path(link).c_str(), &st) == 0 && S_ISDIR(st.st_mode)) (void)RemoveTree(Path(link));
  Link(link, TargetFrom(std::string(DirName(link)), target));
  return "turn " + link + " to " + target;
}

// Away with a folder, and another in its place.
inline std::string IncludeGraph::SwapFolders() {
  const std::string folder = chance_.Pick(real_);
  const std::string other = chance_.Pick(real_);
  if (folder == "work" || folder == "src" || other == "work" || other == "src") return "nothing";
  const std::string away = "away" + std::to_string(next_++);
  if (rename(Path(folder).c_str(), Path(away).c_str()) != 0) return "nothing";
  const bool is_back = rename(Path(other).c_str(), Path(folder).c_str()) == 0;
  if (chance_.OneIn(2)) rename(Path(away).c_str(), Path(is_back ? other : folder).c_str());
  return "put " + other + " in the place of " + folder;
}

inline std::string IncludeGraph::ChangeFolders() {
  const std::string folder = chance_.Pick(real_);
  if (folder == "work" || folder == "src") return "nothing";
  switch (chance_.Below(4)) {
    case 0:
      (void)RemoveTree(Path(folder));
      return "remove folder " + folder;
    case 1: {
      // As a package manager does when it moves things.
      const std::string moved = "moved" + std::to_string(next_++);
      if (rename(Path(folder).c_str(), Path(moved).c_str()) != 0) return "nothing";
      Link(folder, TargetFrom(std::string(DirName(folder)), moved));
      return "make " + folder + " a link to " + moved;
    }
    case 2: {
      (void)RemoveTree(Path(folder));
      Write(folder + "/" + Name(), Text(folder));
      return "make anew " + folder;
    }
    default: {
      (void)RemoveTree(Path(folder));
      Write(folder, "");
      const bool stays = chance_.OneIn(2);
      if (!stays) unlink(Path(folder).c_str());
      if (!stays) Write(folder + "/" + Name(), Text(folder));
      return "make a file of " + folder + (stays ? "" : ", and a folder again");
    }
  }
}

inline std::string IncludeGraph::ChangeKind() {
  const std::string name = File();
  std::error_code error;
  const bool is_link = std::filesystem::is_symlink(Path(name), error);
  if (is_link && chance_.OneIn(2)) {
    Write(name, Text(std::string(DirName(name))));
    return "make a file of the link " + name;
  }
  if (chance_.OneIn(6)) {
    unlink(Path(name).c_str());
    (void)MakeDirs(Path(name));
    return "make a folder of " + name;
  }
  const std::string target = File();
  if (!is_link && chance_.OneIn(3)) {
    // The same content by another way.
    const std::string moved = std::string(DirName(name)) + "/was" + std::to_string(next_++);
    if (rename(Path(name).c_str(), Path(moved).c_str()) != 0) return "nothing";
    Link(name, std::string(BaseName(moved)));
    return "move " + name + " and leave a link";
  }
  if (target == name) return "nothing";
  Link(name, TargetFrom(std::string(DirName(name)), target));
  return "make " + name + " a link to " + target;
}

inline std::string IncludeGraph::EditHardLink() {
  if (hard_links_.empty()) return "nothing";
  auto [name, other] = chance_.Pick(hard_links_);
  if (chance_.OneIn(2)) std::swap(name, other);
  if (!chance_.OneIn(4)) {
    Overwrite(name, Text(std::string(DirName(name))), O_TRUNC);
    return "edit by its hard link " + name;
  }
  unlink(Path(name).c_str());
  (void)link(Path(other).c_str(), Path(name).c_str());
  return "link " + name + " to " + other + " anew";
}

inline std::string IncludeGraph::Change(bool& is_unrelated) {
  is_unrelated = false;
  switch (chance_.Below(20)) {
    case 0:
    case 1:
    case 2: {
      const std::string folder = Folder();
      const std::string name = folder + "/" + Name();
      if (chance_.OneIn(2)) {
        Write(name, Text(folder));
      } else {
        Overwrite(name, Text(folder), O_CREAT | O_TRUNC);
      }
      return "write " + name;
    }
    case 3:
    case 4: {
      const std::string name = File();
      unlink(Path(name).c_str());
      return "remove " + name;
    }
    case 5: {
      const std::string name = File();
      Write(name, Text(std::string(DirName(name))));
      return "replace " + name;
    }
    case 6:
      return EditInPlace();
    case 7:
    case 8:
      return EditWithoutTrace();
    case 9: {
      const std::string folder = chance_.Pick(missing_);
      const std::string name = folder + "/" + Name();
      Write(name, Text(folder));
      return "make " + name;
    }
    case 10:
    case 11:
      return TurnFolderLink();
    case 12:
      return SwapFolders();
    case 13:
      return ChangeFolders();
    case 14:
    case 15:
      return ChangeKind();
    case 16:
      return EditHardLink();
    case 17: {
      is_unrelated = true;
      const std::string name = Folder() + "/main" + std::to_string(next_++) + ".o";
      struct stat st {};
      if (stat(std::string(DirName(Path(name))).c_str(), &st) != 0) return "nothing";
      Write(name, "object");
      return "write the object " + name;
    }
    case 18: {
      const std::string name = File();
      if (chance_.OneIn(2)) {
        chmod(Path(name).c_str(), chance_.OneIn(2) ? 0755 : 0644);
        return "change the mode of " + name;
      }
      const std::string other = Folder() + "/" + Name();
      rename(Path(name).c_str(), Path(other).c_str());
      return "move " + name + " to " + other;
    }
    default:
      return EditThroughMapping();
  }
}

inline std::string IncludeGraph::Dump() const {
  std::string out;
  std::vector<std::string> paths;
  std::error_code error;
  for (const auto& item : std::filesystem::recursive_directory_iterator(root_, error)) {
    paths.push_back(item.path().string());
  }
  std::sort(paths.begin(), paths.end());
  for (const std::string& path : paths) {
    struct stat st {};
    if (lstat(path.c_str(), &st) != 0) continue;
    out += "==== " + path.substr(root_.size() + 1);
    if (S_ISLNK(st.st_mode)) out += " -> " + *ReadLink(path);
    if (S_ISDIR(st.st_mode)) out += "/";
    out += "\n";
    if (path.ends_with(".o")) continue;
    if (S_ISREG(st.st_mode)) out += *ReadFile(path);
    if (S_ISREG(st.st_mode) && !out.ends_with('\n')) out += "<no newline>\n";
  }
  return out;
}

}  // namespace llama::scan
