#pragma once

// The one way errors travel inside the library: a Status, or a Result<T> that is a T or a Status.
//
// The function that first knows which error it is writes the message (exact cause, errno text, peer) and logs it;
// callers pass it up silently. Nothing throws out of a module. Success costs no allocation.

#include <cassert>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

namespace amalgam {

enum class Code {
  kOk,
  kInvalidArgument,  // the caller passed something no call may pass
  kInvalidUsage,     // the call is right, the moment or the combination is not
  kSystem,           // the operating system refused; the text has errno
  kInternal,         // our own invariant broke
  kRemote,           // a peer died, vanished or said so
  kProtocol,         // a peer sent what the protocol does not allow, or the two sides disagree
  kTimeout,          // a deadline passed
  kAborted,          // this side's user aborted
  kDevice,           // a vendor's device runtime refused; the text has its call and error
  kInProgress,       // not an error: the work goes on, ask for the asynchronous error later
};

const char* to_string(Code code);

// One pointer, null when ok: a Status crosses many layers on the hot path and must cost nothing there.
class [[nodiscard]] Status {
 public:
  Status() = default;
  Status(Code code, std::string message) {
    if (code != Code::kOk) error_ = std::make_unique<const Error>(Error{code, std::move(message)});
  }
  Status(const Status& other) : error_(other.error_ ? std::make_unique<const Error>(*other.error_) : nullptr) {}
  Status(Status&&) noexcept = default;
  Status& operator=(const Status& other) {
    if (this != &other) error_ = other.error_ ? std::make_unique<const Error>(*other.error_) : nullptr;
    return *this;
  }
  Status& operator=(Status&&) noexcept = default;
  ~Status() = default;

  bool ok() const { return error_ == nullptr; }
  explicit operator bool() const { return ok(); }
  Code code() const { return error_ ? error_->code : Code::kOk; }
  const std::string& message() const { return error_ ? error_->message : no_message(); }

 private:
  struct Error {
    Code code;
    std::string message;
  };
  static const std::string& no_message();

  std::unique_ptr<const Error> error_;
};

// Runs what a thread of ours does: an exception that left a thread would end the process.
template <typename Work>
Status guarded(const Work& work) {
  try {
    return work();
  } catch (const std::exception& problem) {
    return Status(Code::kInternal, problem.what());
  }
}

// Status from errno: "what: strerror (errno N)".
Status system_error(const std::string& what, int error_number);

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : value_(std::move(value)) {}                                  // NOLINT(google-explicit-constructor)
  Result(Status status) : status_(std::move(status)) { assert(!status_.ok()); }  // NOLINT(google-explicit-constructor)

  bool ok() const { return value_.has_value(); }
  explicit operator bool() const { return ok(); }
  const Status& status() const { return status_; }
  T& operator*() { return *value_; }
  const T& operator*() const { return *value_; }
  T* operator->() { return &*value_; }
  const T* operator->() const { return &*value_; }
  T take() { return std::move(*value_); }

 private:
  std::optional<T> value_;
  Status status_;
};

}  // namespace amalgam

// Returns the Status of `expression` from the enclosing function unless it is ok.
#define AMALGAM_TRY(expression)                                                              \
  do {                                                                                       \
    if (::amalgam::Status try_status_ = (expression); !try_status_.ok()) return try_status_; \
  } while (false)
