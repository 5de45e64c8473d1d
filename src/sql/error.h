// What SQLite says of a statement that is wrong, made into what a user can act on: the line that it
// is about with the place marked, and the word that was probably meant.
#pragma once

#include <sqlite3.h>

#include <span>
#include <string_view>

#include "base/result.h"

namespace llama::sql {

// Of the last call on `connection`, which failed for the statement that begins at `statement`
// bytes into `sql`. `known` are the words that it might have meant.
Error SqlError(sqlite3* connection, int rc, std::string_view sql, size_t statement,
               std::span<const std::string_view> known);

}  // namespace llama::sql
