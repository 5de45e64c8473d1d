// What units are called where a person reads it: by the files' paths from the folder in which the
// build ran, and so that no two have the same name.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "traces/columns/columns.h"

namespace llama::analysis {

// Paths as they are seen from the folder in which a build ran. The trace outlives it.
class ProjectPaths {
 public:
  ProjectPaths(const traces::Columns& trace, const std::string& root);
  // With the folder that the build's own span names.
  explicit ProjectPaths(const traces::Columns& trace);

  // `path` as the unit has it, which may be relative to a folder of its own: "sub/a.c", "../a.c" of
  // what lies in the folder above; unchanged if it is elsewhere.
  std::string Relative(traces::Row unit, std::string_view path) const;

 private:
  const traces::Columns* trace_;
  const traces::FieldColumn* cwd_;
  std::string root_;   // ends with '/'; empty: unknown
  std::string above_;  // likewise
};

// The trace outlives it. Not yet fit for a terminal (base/text/format.h, Printable).
class UnitNames {
 public:
  UnitNames(const traces::Columns& trace, std::optional<uint32_t> build);

  // Its source, or else its object, command, or reason. Of several that would be called the same:
  // "src/ctl.c → ctl.sym.o", and for the second that makes this "src/ctl.c → ctl.sym.o (2)".
  std::string Of(traces::Row unit) const;

 private:
  // What a unit is called by: units with the same have the same short name, which is made once.
  struct Label {
    traces::StringId text = 0;
    traces::StringId folder = 0;  // that it is relative to, if it is a path
    bool is_path = false;
    bool operator==(const Label&) const = default;
  };
  struct LabelHash {
    size_t operator()(const Label& label) const {
      return std::hash<uint64_t>()(uint64_t{label.folder} << 32 | label.text);
    }
  };

  Label LabelOf(traces::Row unit) const;
  std::string Short(traces::Row unit, const Label& label) const;
  std::string Long(traces::Row unit, const std::string& short_name) const;

  const traces::Columns* trace_;
  ProjectPaths paths_;
  const traces::FieldColumn* source_;
  const traces::FieldColumn* object_;
  const traces::FieldColumn* command_;
  const traces::FieldColumn* reason_;
  const traces::FieldColumn* cwd_;
  std::optional<traces::StringId> link_;  // the reason of links, if there are any
  std::unordered_map<std::string, uint32_t> units_called_;
  std::unordered_map<traces::Row, uint32_t> ordinal_;  // where the long name is not enough: from 2
};

}  // namespace llama::analysis
