#include "scan/search/built_in_folders.h"

#include <algorithm>
#include <array>

#include "base/file.h"

namespace llama::scan {
namespace {

// Takes `prefix` off `line` if it begins with it.
bool Consume(std::string_view& line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return false;
  line.remove_prefix(prefix.size());
  return true;
}

// Of the list, where clang also tells frameworks and header maps.
bool IsFolder(std::string_view line) {
  return line.size() > 1 && line.starts_with(' ') && !line.ends_with(" (framework directory)") &&
         !line.ends_with(" (headermap)");
}

void ReadNote(std::string_view line, BuiltInFolders& out) {
  if (Consume(line, "ignoring nonexistent directory \"") ||
      Consume(line, "ignoring duplicate directory \"")) {
    if (line.ends_with('"')) out.left_out.emplace_back(line.substr(0, line.size() - 1));
  } else if (Consume(line, "Found candidate GCC installation: ")) {
    // A newer one may appear beside it.
    out.sources.emplace_back(DirName(line));
  } else if (Consume(line, "Configuration file: ") || Consume(line, "Reading specs from ")) {
    out.sources.emplace_back(line);
    out.configuration.emplace_back(line);
  }
}

}  // namespace

Result<BuiltInFolders> ParseVerbose(std::string_view text) {
  enum class Part : unsigned char { kNotes, kQuote, kAngle };
  BuiltInFolders out;
  Part part = Part::kNotes;
  while (!text.empty()) {
    std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (line == "#include \"...\" search starts here:") {
      part = Part::kQuote;
    } else if (line == "#include <...> search starts here:") {
      part = Part::kAngle;  // clang omits it if there is none
    } else if (part == Part::kNotes) {
      ReadNote(line, out);
    } else if (line == "End of search list.") {
      return out;
    } else if (part == Part::kAngle && IsFolder(line)) {
      out.folders.emplace_back(line.substr(1));
    } else {
      return Error{Code::kInvalid, "in the list of folders: " + std::string(line.substr(0, 200))};
    }
  }
  return Error{Code::kInvalid, "no list of folders"};
}

bool HasSearchOptions(std::string_view configuration) {
  constexpr auto kOptions = std::to_array<std::string_view>(
      {"-I", "-isystem", "-iquote", "-idirafter", "-include", "-imacros", "--include", "-Xclang"});
  return std::any_of(kOptions.begin(), kOptions.end(), [&](std::string_view option) {
    return configuration.find(option) != configuration.npos;
  });
}

}  // namespace llama::scan
