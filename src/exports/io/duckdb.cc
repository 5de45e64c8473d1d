#include "exports/io/duckdb.h"

#include <dlfcn.h>

#include <cstdlib>

namespace llama::exports {
namespace {

constexpr char kHowToGetIt[] =
    "; get libduckdb.so from https://duckdb.org/docs/installation (C/C++) or by 'npm install "
    "@duckdb/node-bindings-linux-x64', and name it by --duckdb PATH or LLAMA_DUCKDB";

class Library {
 public:
  explicit Library(void* handle) : handle_(handle) {}

  template <typename Function>
  void Find(const char* name, Function& function) {
    void* const found = dlsym(handle_, name);
    if (found == nullptr && missing_.empty()) missing_ = name;
    function = reinterpret_cast<Function>(found);
  }
  const std::string& missing() const { return missing_; }

 private:
  void* const handle_;
  std::string missing_;
};

DuckDbApi FindAll(Library& library) {
  DuckDbApi api{};
#define FIND(name) library.Find("duckdb_" #name, api.name)
  FIND(open);
  FIND(close);
  FIND(connect);
  FIND(disconnect);
  FIND(query);
  FIND(destroy_result);
  FIND(result_error);
  FIND(create_table_function);
  FIND(destroy_table_function);
  FIND(table_function_set_name);
  FIND(table_function_set_bind);
  FIND(table_function_set_init);
  FIND(table_function_set_function);
  FIND(register_table_function);
  FIND(bind_add_result_column);
  FIND(init_set_max_threads);
  FIND(create_logical_type);
  FIND(destroy_logical_type);
  FIND(vector_size);
  FIND(data_chunk_get_vector);
  FIND(data_chunk_set_size);
  FIND(vector_get_data);
  FIND(vector_ensure_validity_writable);
  FIND(vector_get_validity);
  FIND(vector_assign_string_element_len);
#undef FIND
  return api;
}

}  // namespace

Result<DuckDbApi> LoadDuckDb(const std::string& path) {
  std::string name = path;
  const char* const from_environment = std::getenv("LLAMA_DUCKDB");
  if (name.empty() && from_environment != nullptr) name = from_environment;
  if (name.empty()) name = "libduckdb.so";
  void* const handle = dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const why = dlerror();
    return Error{Code::kNotFound,
                 "parquet is written by DuckDB's library, which can't be loaded: " +
                     std::string(why == nullptr ? name : why) + kHowToGetIt};
  }
  Library library(handle);
  const DuckDbApi api = FindAll(library);
  if (!library.missing().empty()) {
    return Error{Code::kInvalid, name + " is no DuckDB library, or too old a one: it has no " +
                                     library.missing() + kHowToGetIt};
  }
  return api;
}

Result<std::unique_ptr<DuckDb>> DuckDb::Open(const DuckDbApi& api) {
  std::unique_ptr<DuckDb> database(new DuckDb(api));
  if (api.open(nullptr, &database->database_) != 0 ||
      api.connect(database->database_, &database->connection_) != 0) {
    return Error{Code::kInternal, "DuckDB can't be started"};
  }
  // It reaches for nothing on the network.
  TRY(database->Run("SET threads TO 1; SET autoinstall_known_extensions TO false"));
  return database;
}

DuckDb::~DuckDb() {
  if (connection_ != nullptr) api_.disconnect(&connection_);
  if (database_ != nullptr) api_.close(&database_);
}

Result<void> DuckDb::Run(const std::string& sql) {
  DuckDbApi::Result result{};
  const int state = api_.query(connection_, sql.c_str(), &result);
  std::string error;
  if (state != 0) {
    const char* const message = api_.result_error(&result);
    error = message == nullptr ? "failed" : message;
  }
  api_.destroy_result(&result);
  if (state == 0) return {};
  return Error{Code::kUnavailable, "DuckDB: " + error};
}

}  // namespace llama::exports
