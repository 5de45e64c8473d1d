// DuckDB's C library, found at run time: llama does not need it for anything else, and it is larger
// than all of llama. Declared here is what is used of duckdb.h, whose interface is stable
// (https://duckdb.org/docs/stable/clients/c/api).
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "base/result.h"

namespace llama::exports {

struct DuckDbApi {
  using Handle = void*;
  struct Result {
    uint64_t deprecated[3];
    void* deprecated_columns;
    void* deprecated_error;
    void* internal;
  };
  enum Type : int {
    kBoolean = 1,
    kInteger = 4,
    kBigint = 5,
    kDouble = 11,
    kVarchar = 17,
    kTimestampNs = 22
  };

  int (*open)(const char* path, Handle* database);
  void (*close)(Handle* database);
  int (*connect)(Handle database, Handle* connection);
  void (*disconnect)(Handle* connection);
  int (*query)(Handle connection, const char* sql, Result* result);
  void (*destroy_result)(Result* result);
  const char* (*result_error)(Result* result);

  Handle (*create_table_function)();
  void (*destroy_table_function)(Handle* function);
  void (*table_function_set_name)(Handle function, const char* name);
  void (*table_function_set_bind)(Handle function, void (*bind)(Handle info));
  void (*table_function_set_init)(Handle function, void (*init)(Handle info));
  void (*table_function_set_function)(Handle function, void (*fill)(Handle info, Handle chunk));
  int (*register_table_function)(Handle connection, Handle function);
  void (*bind_add_result_column)(Handle info, const char* name, Handle type);
  void (*init_set_max_threads)(Handle info, uint64_t threads);

  Handle (*create_logical_type)(int type);
  void (*destroy_logical_type)(Handle* type);
  uint64_t (*vector_size)();
  Handle (*data_chunk_get_vector)(Handle chunk, uint64_t column);
  void (*data_chunk_set_size)(Handle chunk, uint64_t rows);
  void* (*vector_get_data)(Handle vector);
  void (*vector_ensure_validity_writable)(Handle vector);
  uint64_t* (*vector_get_validity)(Handle vector);
  void (*vector_assign_string_element_len)(Handle vector, uint64_t row, const char* text,
                                           uint64_t size);
};

// The library that `path` names, or, if that is empty, $LLAMA_DUCKDB's, or the one in the loader's
// usual places. It stays loaded. An error says how to get one.
Result<DuckDbApi> LoadDuckDb(const std::string& path);

// A database in memory, of one thread.
class DuckDb {
 public:
  static Result<std::unique_ptr<DuckDb>> Open(const DuckDbApi& api);
  ~DuckDb();

  Result<void> Run(const std::string& sql);
  DuckDbApi::Handle connection() const { return connection_; }

 private:
  explicit DuckDb(const DuckDbApi& api) : api_(api) {}

  const DuckDbApi api_;
  DuckDbApi::Handle database_ = nullptr;
  DuckDbApi::Handle connection_ = nullptr;
};

}  // namespace llama::exports
