#include "sql/module.h"

#include <algorithm>
#include <new>

#include "sql/names.h"
#include "sql/scan.h"

namespace llama::sql {
namespace {

// What one name stands for. A connection may have several sqlite3_vtab of it in turn.
struct Registered {
  std::unique_ptr<SqlTable> table;
  ValueIndexes indexes;
};

struct VirtualTable : sqlite3_vtab {
  Registered* registered = nullptr;
};

struct Cursor : sqlite3_vtab_cursor {
  Cursor(const SqlTable& t, ValueIndexes& indexes)
      : sqlite3_vtab_cursor{}, table(t), scan(t, indexes) {}
  const SqlTable& table;
  Scan scan;
  std::string plan_text;  // of `plan`
  SqlPlan plan;
  std::string scratch;
};

const char* TypeName(Affinity affinity) {
  switch (affinity) {
    case Affinity::kInteger:
      return " INTEGER";
    case Affinity::kNumeric:
      return " NUMERIC";
    case Affinity::kText:
      return " TEXT";
    case Affinity::kNone:
      return "";
  }
  return "";
}

int Connect(sqlite3* connection, void* client, int /*argc*/, const char* const* /*argv*/,
            sqlite3_vtab** out, char** error) {
  auto* registered = static_cast<Registered*>(client);
  std::string sql = "CREATE TABLE t(";
  for (const SqlColumn& column : registered->table->columns()) {
    if (sql.back() != '(') sql += ',';
    // Always quoted: SQLite would read a bare `column GENERATED …` in its own way.
    std::string name = QuoteName(column.name);
    if (name[0] != '"') name.insert(0, 1, '"').append(1, '"');
    sql.append(name).append(TypeName(column.affinity));
  }
  if (const int rc = sqlite3_declare_vtab(connection, (sql + ")").c_str()); rc != SQLITE_OK) {
    *error = sqlite3_mprintf("%s", sqlite3_errmsg(connection));
    return rc;
  }
  auto* table = new (std::nothrow) VirtualTable{};
  if (table == nullptr) return SQLITE_NOMEM;
  table->registered = registered;
  *out = table;
  return SQLITE_OK;
}

int Disconnect(sqlite3_vtab* table) {
  delete static_cast<VirtualTable*>(table);
  return SQLITE_OK;
}

int BestIndex(sqlite3_vtab* table, sqlite3_index_info* info) {
  return ChoosePlan(*static_cast<VirtualTable*>(table)->registered->table, *info);
}

int Open(sqlite3_vtab* table, sqlite3_vtab_cursor** out) {
  Registered& registered = *static_cast<VirtualTable*>(table)->registered;
  *out = new (std::nothrow) Cursor(*registered.table, registered.indexes);
  return *out == nullptr ? SQLITE_NOMEM : SQLITE_OK;
}

int Close(sqlite3_vtab_cursor* cursor) {
  delete static_cast<Cursor*>(cursor);
  return SQLITE_OK;
}

enum class Comparable { kYes, kNever, kUnknown };

// The value as SQLite would compare it with a column of that affinity. kNever: with nothing is it
// equal, nor less, nor greater; kUnknown: only SQLite knows.
Comparable ReadValue(sqlite3_value* value, Affinity affinity, OwnedCell& out) {
  const bool numeric = affinity == Affinity::kInteger || affinity == Affinity::kNumeric;
  switch (numeric ? sqlite3_value_numeric_type(value) : sqlite3_value_type(value)) {
    case SQLITE_NULL:
      return Comparable::kNever;
    case SQLITE_INTEGER:
      if (!numeric) return Comparable::kUnknown;
      out.Set(Cell::Int(sqlite3_value_int64(value)));
      return Comparable::kYes;
    case SQLITE_FLOAT:
      if (!numeric) return Comparable::kUnknown;
      out.Set(Cell::Double(sqlite3_value_double(value)));
      return Comparable::kYes;
    case SQLITE_TEXT: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
      if (text == nullptr) return Comparable::kUnknown;
      out.Set(Cell::Text({text, static_cast<size_t>(sqlite3_value_bytes(value))}));
      return Comparable::kYes;
    }
    default:
      out.Set(Cell::Blob());
      return Comparable::kYes;
  }
}

Comparable ReadList(sqlite3_value* list, Affinity affinity, std::vector<OwnedCell>& out) {
  out.clear();
  sqlite3_value* value = nullptr;
  int rc = sqlite3_vtab_in_first(list, &value);
  for (; rc == SQLITE_OK && value != nullptr; rc = sqlite3_vtab_in_next(list, &value)) {
    OwnedCell item;
    switch (ReadValue(value, affinity, item)) {
      case Comparable::kYes:
        out.push_back(std::move(item));
        break;
      case Comparable::kNever:
        break;
      case Comparable::kUnknown:
        return Comparable::kUnknown;
    }
  }
  if (rc != SQLITE_OK && rc != SQLITE_DONE) return Comparable::kUnknown;
  std::sort(out.begin(), out.end(), [](const OwnedCell& a, const OwnedCell& b) {
    return CompareCells(a.Get(), b.Get()) < 0;
  });
  return Comparable::kYes;
}

Comparable ReadFilter(const SqlTable& table, sqlite3_value* value, ScanFilter& filter) {
  const Affinity affinity = filter.column == kRowIdColumn
                                ? Affinity::kInteger
                                : table.columns()[static_cast<size_t>(filter.column)].affinity;
  if (filter.op == SqlOp::kIn) return ReadList(value, affinity, filter.list);
  return ReadValue(value, affinity, filter.value);
}

int Filter(sqlite3_vtab_cursor* base, int /*number*/, const char* plan, int argc,
           sqlite3_value** argv) {
  Cursor& cursor = *static_cast<Cursor*>(base);
  if (cursor.plan_text != plan) {
    cursor.plan_text = plan;
    cursor.plan = SqlPlan::FromText(plan);
  }
  const auto& constraints = cursor.plan.constraints;
  auto& filters = cursor.scan.filters();
  filters.resize(constraints.size());
  int used = 0;
  for (size_t i = 0; i < constraints.size(); ++i) {
    ScanFilter& filter = filters[i];
    filter.column = constraints[i].column;
    filter.op = constraints[i].op;
    if (!constraints[i].takes_value()) continue;
    if (used == argc) return SQLITE_ERROR;
    switch (ReadFilter(cursor.table, argv[used++], filter)) {
      case Comparable::kYes:
        break;
      case Comparable::kNever:
        filter.op = SqlOp::kIn;
        filter.list.clear();
        break;
      case Comparable::kUnknown:
        filter.op = SqlOp::kPresent;
        break;
    }
  }
  cursor.scan.Begin(cursor.plan.order);
  return SQLITE_OK;
}

int Next(sqlite3_vtab_cursor* cursor) {
  static_cast<Cursor*>(cursor)->scan.Next();
  return SQLITE_OK;
}

int AtEnd(sqlite3_vtab_cursor* cursor) {
  return static_cast<Cursor*>(cursor)->scan.at_end() ? 1 : 0;
}

// What sqlite3_result_subtype takes for JSON, so that JSON's functions nest it.
constexpr unsigned kJsonSubtype = 'J';

int ColumnOfRow(sqlite3_vtab_cursor* base, sqlite3_context* context, int column) {
  Cursor& cursor = *static_cast<Cursor*>(base);
  const Cell cell = cursor.table.At(cursor.scan.row(), column, cursor.scratch);
  switch (cell.type) {
    case CellType::kNull:
      break;
    case CellType::kInt:
      sqlite3_result_int64(context, cell.integer);
      break;
    case CellType::kDouble:
      sqlite3_result_double(context, cell.real);
      break;
    case CellType::kText:
    case CellType::kJson:
      // A null pointer would be a null.
      sqlite3_result_text64(context, cell.bytes.size == 0 ? "" : cell.bytes.data, cell.bytes.size,
                            cell.transient ? SQLITE_TRANSIENT : SQLITE_STATIC, SQLITE_UTF8);
      if (cell.type == CellType::kJson) sqlite3_result_subtype(context, kJsonSubtype);
      break;
    case CellType::kBlob:
      break;
  }
  return SQLITE_OK;
}

int RowId(sqlite3_vtab_cursor* cursor, sqlite3_int64* out) {
  *out = static_cast<Cursor*>(cursor)->scan.row();
  return SQLITE_OK;
}

const sqlite3_module* Module() {
  static const sqlite3_module module = [] {
    sqlite3_module m{};
    m.xConnect = Connect;  // no xCreate: the table is there by itself
    m.xBestIndex = BestIndex;
    m.xDisconnect = Disconnect;
    m.xOpen = Open;
    m.xClose = Close;
    m.xFilter = Filter;
    m.xNext = Next;
    m.xEof = AtEnd;
    m.xColumn = ColumnOfRow;
    m.xRowid = RowId;
    return m;
  }();
  return &module;
}

}  // namespace

Result<void> AddTable(sqlite3* connection, const std::string& name,
                      std::unique_ptr<SqlTable> table) {
  auto* registered = new Registered{std::move(table), {}};
  // SQLite calls the last argument if it fails, too.
  const int rc = sqlite3_create_module_v2(connection, name.c_str(), Module(), registered,
                                          [](void* p) { delete static_cast<Registered*>(p); });
  if (rc == SQLITE_OK) return {};
  return Error{Code::kInternal, "table " + name + ": " + sqlite3_errstr(rc)};
}

}  // namespace llama::sql
