#include "emulator/lambda/zip.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <zip.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <set>

#include "base/fd.h"
#include "base/file.h"
#include "emulator/request/lambda_error.h"

namespace llama::emulator {
namespace {

constexpr zip_int64_t kMaxEntries = 65'535;
constexpr size_t kMaxNameBytes = 1024;

struct CloseArchive {
  void operator()(zip_t* archive) const { zip_discard(archive); }
};
using Archive = std::unique_ptr<zip_t, CloseArchive>;

struct CloseFile {
  void operator()(zip_file_t* file) const { zip_fclose(file); }
};

struct Entry {
  std::string name;  // relative, without a slash at the end
  bool folder = false;
  bool executable = false;
  uint64_t size = 0;
};

Error Refuse(std::string_view why) {
  return InvalidParameter("Could not unzip uploaded file: " + std::string(why));
}

Result<Archive> OpenZip(std::string_view zip) {
  if (zip.empty()) return Refuse("it is empty");
  zip_error_t error;
  zip_error_init(&error);
  zip_source_t* source = zip_source_buffer_create(zip.data(), zip.size(), 0, &error);
  zip_t* archive = source == nullptr
                       ? nullptr
                       : zip_open_from_source(source, ZIP_RDONLY | ZIP_CHECKCONS, &error);
  if (archive == nullptr) {
    if (source != nullptr) zip_source_free(source);
    Error refusal = Refuse(zip_error_strerror(&error));
    zip_error_fini(&error);
    return refusal;
  }
  zip_error_fini(&error);
  return Archive(archive);
}

// Relative, and without "." or ".." in it.
bool IsInside(std::string_view name) {
  if (name.empty() || name.size() > kMaxNameBytes || name.find('\0') != name.npos ||
      name.find('\\') != name.npos) {
    return false;
  }
  while (true) {
    const size_t slash = name.find('/');
    const std::string_view part = name.substr(0, slash);
    if (part.empty() || part == "." || part == "..") return false;
    if (slash == name.npos) return true;
    name.remove_prefix(slash + 1);
  }
}

Result<Entry> ReadEntry(zip_t* archive, zip_uint64_t index) {
  zip_stat_t st;
  if (zip_stat_index(archive, index, 0, &st) != 0 || (st.valid & ZIP_STAT_NAME) == 0 ||
      (st.valid & ZIP_STAT_SIZE) == 0) {
    return Refuse("an entry without name or size");
  }
  Entry entry;
  entry.name = st.name;
  entry.size = st.size;
  if (entry.name.ends_with('/')) {
    entry.folder = true;
    entry.name.pop_back();
  }
  if (!IsInside(entry.name)) return Refuse("entry \"" + entry.name + "\" is outside of it");
  zip_uint8_t system = 0;
  zip_uint32_t attributes = 0;
  zip_file_get_external_attributes(archive, index, 0, &system, &attributes);
  const mode_t mode = system == ZIP_OPSYS_UNIX ? attributes >> 16 : 0;
  const mode_t type = mode & S_IFMT;
  if (type != 0 && type != S_IFREG && type != S_IFDIR) {
    return Refuse("entry \"" + entry.name + "\" is neither file nor folder");
  }
  entry.executable = (mode & 0111) != 0;
  return entry;
}

// Every entry, checked for what needs no unpacking.
Result<std::vector<Entry>> ReadEntries(zip_t* archive) {
  const zip_int64_t count = zip_get_num_entries(archive, 0);
  if (count < 0 || count > kMaxEntries) return Refuse("too many entries");
  std::vector<Entry> entries;
  std::set<std::string> names;
  uint64_t total = 0;
  for (zip_int64_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(Entry entry, ReadEntry(archive, static_cast<zip_uint64_t>(i)));
    if (!names.insert(entry.name).second) return Refuse("entry \"" + entry.name + "\" twice");
    if (entry.size > kMaxUnzippedBytes || (total += entry.size) > kMaxUnzippedBytes) {
      return InvalidParameter("Unzipped size must be smaller than " +
                              std::to_string(kMaxUnzippedBytes) + " bytes");
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

Result<Archive> OpenChecked(std::string_view zip) {
  if (zip.size() > kMaxZipBytes) {
    return LambdaError("RequestEntityTooLargeException",
                       "Zipped size must be smaller than " + std::to_string(kMaxZipBytes));
  }
  return OpenZip(zip);
}

// No more than the entry said it would be, whatever the compressed bytes have in them.
Result<void> WriteEntry(zip_t* archive, zip_uint64_t index, const Entry& entry,
                        const std::string& path) {
  const std::unique_ptr<zip_file_t, CloseFile> file(zip_fopen_index(archive, index, 0));
  if (!file) return Refuse(entry.name + ": " + zip_strerror(archive));
  ASSIGN_OR_RETURN(const Fd out, OpenFile(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0644));
  if (fchmod(out.get(), entry.executable ? 0755 : 0644) != 0) return ErrnoError(errno, path);
  std::string chunk(64 << 10, '\0');
  uint64_t written = 0;
  while (true) {
    const zip_int64_t n = zip_fread(file.get(), chunk.data(), chunk.size());
    if (n < 0) return Refuse(entry.name + " is damaged");
    if (n == 0) break;
    written += static_cast<uint64_t>(n);
    if (written > entry.size) return Refuse(entry.name + " is larger than it says");
    TRY(WriteAll(out.get(), std::string_view(chunk).substr(0, static_cast<size_t>(n)), path));
  }
  if (written != entry.size) return Refuse(entry.name + " is smaller than it says");
  return {};
}

// Every folder of `name` below `dir`, open to whoever an environment is, whatever our umask.
Result<void> MakeOpenDirs(const std::string& dir, std::string_view name) {
  for (size_t end = 0; end != name.npos;) {
    end = name.find('/', end + 1);
    const std::string path = JoinPath(dir, name.substr(0, end));
    TRY(MakeDirs(path, 0755));
    if (chmod(path.c_str(), 0755) != 0) return ErrnoError(errno, path);
  }
  return {};
}

Result<void> WriteEntries(zip_t* archive, const std::string& dir) {
  ASSIGN_OR_RETURN(const std::vector<Entry> entries, ReadEntries(archive));
  TRY(MakeDirs(dir, 0755));
  if (chmod(dir.c_str(), 0755) != 0) return ErrnoError(errno, dir);
  for (size_t i = 0; i < entries.size(); ++i) {
    const std::string path = JoinPath(dir, entries[i].name);
    const std::string_view parent = DirName(entries[i].name);
    Result<void> made;
    if (parent != ".") made = MakeOpenDirs(dir, parent);
    if (made && entries[i].folder) made = MakeOpenDirs(dir, entries[i].name);
    if (!made) return Refuse("entry \"" + entries[i].name + "\" lies in a file");
    if (!entries[i].folder) TRY(WriteEntry(archive, i, entries[i], path));
  }
  return {};
}

}  // namespace

Result<bool> ZipHolds(std::string_view zip, std::string_view name) {
  ASSIGN_OR_RETURN(const Archive archive, OpenChecked(zip));
  ASSIGN_OR_RETURN(const std::vector<Entry> entries, ReadEntries(archive.get()));
  return std::any_of(entries.begin(), entries.end(),
                     [&](const Entry& entry) { return entry.name == name && !entry.folder; });
}

Result<void> Unzip(std::string_view zip, const std::string& dir) {
  ASSIGN_OR_RETURN(const Archive archive, OpenChecked(zip));
  const std::string unfinished = dir + ".new";
  TRY(RemoveTree(unfinished));
  Result<void> written = WriteEntries(archive.get(), unfinished);
  if (written && rename(unfinished.c_str(), dir.c_str()) != 0) written = ErrnoError(errno, dir);
  if (!written) (void)RemoveTree(unfinished).has_value();
  return written;
}

}  // namespace llama::emulator
