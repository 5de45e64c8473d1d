// Result<T>: a value or an Error. The project's fallible functions return it; no exception crosses
// a function boundary of ours. The method names follow std::expected.
//
// An error's code is chosen by what the caller does about it; its message names the thing (path,
// option, URL, status). Context is added once, when an error crosses into another module.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace llama {

enum class Code : unsigned char {
  kNotFound,      // The named thing is not there; create it, send it, or say so.
  kInvalid,       // The input is wrong; trying again gives the same.
  kUnavailable,   // A passing failure; try again within bounds, then fall back.
  kDeadline,      // Time ran out.
  kCancelled,     // Nobody waits for the answer any more.
  kRemoteFailed,  // The other side answered that it failed.
  kInternal,      // Our own bug, or a system call that should not fail.
};

// "not found", "invalid", …: for messages and logs.
std::string_view CodeName(Code code);

struct Error {
  Code code = Code::kInternal;
  std::string message;

  // The same error with "context: " put before its message.
  Error With(std::string_view context) &&;
};

// An Error whose message is "what: strerror(err)"; ENOENT and ENOTDIR are kNotFound, ENOSPC,
// EAGAIN, EMFILE and the like kUnavailable, others kInternal.
Error ErrnoError(int err, std::string_view what);

// A value, or why there is none. `E` is Error but where a caller wants to know more
// (execute/reason.h).
template <typename T, typename E = Error>
class [[nodiscard]] Result {
 public:
  using value_type = T;
  Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}  // NOLINT
  Result(E error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

  bool has_value() const { return state_.index() == 0; }
  explicit operator bool() const { return has_value(); }
  T& value() & { return std::get<0>(state_); }
  const T& value() const& { return std::get<0>(state_); }
  // By value: what is taken out of a temporary must not refer into it (`for (x : *ListDir(…))`).
  T value() && { return std::get<0>(std::move(state_)); }
  T& operator*() & { return value(); }
  const T& operator*() const& { return value(); }
  T operator*() && { return std::move(*this).value(); }
  T* operator->() { return &value(); }
  const T* operator->() const { return &value(); }
  const E& error() const& { return std::get<1>(state_); }
  E&& error() && { return std::get<1>(std::move(state_)); }

 private:
  std::variant<T, E> state_;
};

template <typename E>
class [[nodiscard]] Result<void, E> {
 public:
  using value_type = void;
  Result() = default;
  Result(E error) : error_(std::move(error)) {}  // NOLINT

  bool has_value() const { return !error_.has_value(); }
  explicit operator bool() const { return has_value(); }
  const E& error() const& { return *error_; }
  E&& error() && { return *std::move(error_); }

 private:
  std::optional<E> error_;
};

}  // namespace llama

#define LLAMA_CONCAT_(a, b) a##b
#define LLAMA_CONCAT(a, b) LLAMA_CONCAT_(a, b)

// TRY(expr): returns the error of `expr` from the enclosing function, if it is one.
#define TRY(expr)                                \
  do {                                           \
    if (auto try_result = (expr); !try_result) { \
      return std::move(try_result).error();      \
    }                                            \
  } while (false)

// ASSIGN_OR_RETURN(auto x, expr): declares or assigns x from the value, or returns the error. What
// it is given is a declaration and a name of its own: neither can stand in parentheses.
// NOLINTBEGIN(bugprone-macro-parentheses)
#define ASSIGN_OR_RETURN(lhs, expr) ASSIGN_OR_RETURN_(LLAMA_CONCAT(result_, __LINE__), lhs, expr)
#define ASSIGN_OR_RETURN_(result, lhs, expr)     \
  auto result = (expr);                          \
  if (!result) return std::move(result).error(); \
  lhs = std::move(result).value()
// NOLINTEND(bugprone-macro-parentheses)
