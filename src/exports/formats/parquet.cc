// Parquet, written by DuckDB: it asks for the spans a few thousand rows at a time, as a table, and
// writes them as they come.
#include <algorithm>
#include <cmath>

#include "exports/formats/formats.h"
#include "exports/io/duckdb.h"
#include "exports/io/json_writer.h"
#include "exports/spans/flat_spans.h"

namespace llama::exports {
namespace {

using Type = DuckDbApi::Type;
using traces::Kind;

// Every value must be in the column as it was. Where no type of Parquet's holds all of a field's
// values, its column is their JSON text.
struct ColumnType {
  Type type = DuckDbApi::kVarchar;
  bool json = false;
};

// Integers that a double holds, whatever they are.
constexpr int64_t kExactInts = int64_t{1} << 53;

ColumnType TypeOf(const traces::FieldColumn& column) {
  traces::KindSet kinds;
  bool exact = true;
  column.ForEach([&](Row, const traces::Value& value) {
    if (value.kind == Kind::kNull) return;
    kinds.Add(value.kind);
    if (value.kind == Kind::kInt) {
      exact = exact && value.as_int() >= -kExactInts && value.as_int() <= kExactInts;
    }
  });
  if (kinds.Only(Kind::kString) || kinds.Only(Kind::kJson) || kinds.bits() == 0) return {};
  if (kinds.Only(Kind::kBool)) return {DuckDbApi::kBoolean};
  if (kinds.Only(Kind::kInt)) return {DuckDbApi::kBigint};
  if (kinds.Only(Kind::kDouble)) return {DuckDbApi::kDouble};
  if (!kinds.Has(Kind::kBool) && !kinds.Has(Kind::kString) && !kinds.Has(Kind::kJson) && exact) {
    return {DuckDbApi::kDouble};
  }
  return {DuckDbApi::kVarchar, true};
}

constexpr Type kFlatTypes[] = {DuckDbApi::kVarchar, DuckDbApi::kVarchar,     DuckDbApi::kVarchar,
                               DuckDbApi::kVarchar, DuckDbApi::kVarchar,     DuckDbApi::kVarchar,
                               DuckDbApi::kInteger, DuckDbApi::kTimestampNs, DuckDbApi::kBigint,
                               DuckDbApi::kBigint,  DuckDbApi::kBigint,      DuckDbApi::kBigint};
static_assert(std::size(kFlatTypes) == kFlatNames.size());

// What DuckDB calls as the table function `llama_spans`, on the one thread that it has.
class SpansFunction {
 public:
  SpansFunction(const Selection& selection, bool fields, const DuckDbApi& api)
      : api_(api), rows_(selection.rows()), spans_(selection, fields) {
    for (const FlatSpans::Field& field : spans_.fields()) {
      types_.push_back(TypeOf(spans_.columns().field(field.id)));
    }
    current_ = this;
  }
  ~SpansFunction() { current_ = nullptr; }
  SpansFunction(const SpansFunction&) = delete;
  SpansFunction& operator=(const SpansFunction&) = delete;

  Result<void> Register(DuckDbApi::Handle connection) {
    DuckDbApi::Handle function = api_.create_table_function();
    api_.table_function_set_name(function, "llama_spans");
    api_.table_function_set_bind(function, &SpansFunction::Bind);
    api_.table_function_set_init(function, &SpansFunction::Init);
    api_.table_function_set_function(function, &SpansFunction::Fill);
    const int state = api_.register_table_function(connection, function);
    api_.destroy_table_function(&function);
    if (state != 0) return Error{Code::kInternal, "DuckDB refuses a table function"};
    return {};
  }

 private:
  // What is being filled: vectors of a chunk and their arrays.
  struct Vector {
    DuckDbApi::Handle handle = nullptr;
    void* data = nullptr;
    uint64_t* valid = nullptr;
  };

  // DuckDB would hand them an object, too, but by a function of the library: one of those that are
  // found at run time, and are this object's.
  static void Bind(DuckDbApi::Handle info) { current_->AddColumns(info); }
  static void Init(DuckDbApi::Handle info) { current_->api_.init_set_max_threads(info, 1); }
  static void Fill(DuckDbApi::Handle /*info*/, DuckDbApi::Handle chunk) {
    current_->FillChunk(chunk);
  }

  void AddColumns(DuckDbApi::Handle info) const {
    const auto add = [&](const std::string& name, Type type) {
      DuckDbApi::Handle logical = api_.create_logical_type(type);
      api_.bind_add_result_column(info, name.c_str(), logical);
      api_.destroy_logical_type(&logical);
    };
    for (size_t i = 0; i < kFlatNames.size(); ++i) add(std::string(kFlatNames[i]), kFlatTypes[i]);
    for (size_t i = 0; i < types_.size(); ++i) add(spans_.fields()[i].column, types_[i].type);
  }

  void FillChunk(DuckDbApi::Handle chunk) {
    const auto count = std::min<size_t>(api_.vector_size(), rows_.size() - next_);
    for (size_t i = 0; i < kFlatNames.size() + types_.size(); ++i) {
      if (vectors_.size() <= i) vectors_.emplace_back();
      Vector& vector = vectors_[i];
      vector.handle = api_.data_chunk_get_vector(chunk, i);
      vector.data = api_.vector_get_data(vector.handle);
      const bool has_nulls =
          i >= kFlatNames.size() || i == static_cast<size_t>(FlatColumn::kParentId);
      if (!has_nulls) continue;
      api_.vector_ensure_validity_writable(vector.handle);
      vector.valid = api_.vector_get_validity(vector.handle);
      std::fill(vector.valid, vector.valid + (count + 63) / 64, 0);
    }
    for (size_t at = 0; at < count; ++at) {
      PutSpan(at, rows_[next_ + at]);
      spans_.ValuesOf(rows_[next_ + at], values_);
      for (const auto& [column, value] : values_) PutField(at, column, value);
    }
    api_.data_chunk_set_size(chunk, count);
    next_ += count;
  }

  void PutSpan(size_t at, Row row) {
    const traces::Columns& columns = spans_.columns();
    PutText(FlatColumn::kBuild, at, spans_.Build(row));
    scratch_.clear();
    AppendHex(scratch_, columns.traces()[columns.trace()[row]]);
    PutText(FlatColumn::kTraceId, at, scratch_);
    scratch_.clear();
    AppendHex(scratch_, columns.span_id()[row]);
    PutText(FlatColumn::kSpanId, at, scratch_);
    if (columns.parent_id()[row] != 0) {
      scratch_.clear();
      AppendHex(scratch_, columns.parent_id()[row]);
      PutText(FlatColumn::kParentId, at, scratch_);
      SetValid(vectors_[static_cast<size_t>(FlatColumn::kParentId)], at);
    }
    PutText(FlatColumn::kName, at, spans_.Name(row));
    PutText(FlatColumn::kPath, at, spans_.Path(row));
    Put<int32_t>(FlatColumn::kDepth, at, columns.depth()[row]);
    Put(FlatColumn::kStart, at, columns.start_ns()[row]);
    Put(FlatColumn::kStartNs, at, columns.start_ns()[row]);
    Put(FlatColumn::kDurationNs, at, columns.duration_ns()[row]);
    Put(FlatColumn::kSelfNs, at, columns.self_ns()[row]);
    Put(FlatColumn::kRawStartNs, at, columns.raw_start_ns(row));
  }

  void PutField(size_t at, uint32_t column, const traces::Value& value) {
    if (value.kind == Kind::kNull) return;
    Vector& vector = vectors_[kFlatNames.size() + column];
    SetValid(vector, at);
    if (types_[column].json) {
      scratch_.clear();
      AppendValue(scratch_, spans_.columns(), value);
      return PutText(vector, at, scratch_);
    }
    switch (types_[column].type) {
      case DuckDbApi::kBoolean:
        static_cast<bool*>(vector.data)[at] = value.as_bool();
        return;
      case DuckDbApi::kBigint:
        static_cast<int64_t*>(vector.data)[at] = value.as_int();
        return;
      case DuckDbApi::kDouble:
        static_cast<double*>(vector.data)[at] = value.number().value_or(0);
        return;
      default:
        PutText(vector, at, spans_.text(value.as_string()));
    }
  }

  template <typename T>
  void Put(FlatColumn column, size_t at, T value) {
    static_cast<T*>(vectors_[static_cast<size_t>(column)].data)[at] = value;
  }
  void PutText(FlatColumn column, size_t at, std::string_view text) {
    PutText(vectors_[static_cast<size_t>(column)], at, text);
  }
  void PutText(const Vector& vector, size_t at, std::string_view text) {
    api_.vector_assign_string_element_len(vector.handle, at, text.data(), text.size());
  }
  static void SetValid(Vector& vector, size_t at) {
    vector.valid[at / 64] |= uint64_t{1} << (at % 64);
  }

  static thread_local SpansFunction* current_;

  const DuckDbApi& api_;
  const std::span<const Row> rows_;
  FlatSpans spans_;
  std::vector<ColumnType> types_;
  size_t next_ = 0;
  std::vector<Vector> vectors_;
  FlatSpans::Values values_;
  std::string scratch_;
};

thread_local SpansFunction* SpansFunction::current_ = nullptr;

std::string SqlText(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    out += c;
    if (c == '\'') out += c;
  }
  return out + "'";
}

}  // namespace

Result<ExportCounts> WriteParquet(const Selection& selection, const ExportOptions& options,
                                  const std::string& path) {
  ASSIGN_OR_RETURN(const DuckDbApi api, LoadDuckDb(options.duckdb_library));
  SpansFunction spans(selection, options.fields, api);
  ASSIGN_OR_RETURN(const auto database, DuckDb::Open(api));
  TRY(spans.Register(database->connection()));
  // Snappy is what every reader has.
  TRY(database->Run("COPY (SELECT * FROM llama_spans()) TO " + SqlText(path) +
                    " (FORMAT parquet, COMPRESSION snappy)"));
  ExportCounts counts;
  counts.spans = selection.rows().size();
  return counts;
}

}  // namespace llama::exports
