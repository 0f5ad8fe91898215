// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "unmask/error.hpp"

namespace unmask::compat {

/// A bound that many users share. Thread-safe.
class ByteBudget {
 public:
  explicit ByteBudget(std::uint64_t total) : left_(total) {}

  /// False, and nothing is taken, when less than `bytes` is left.
  bool Take(std::uint64_t bytes);
  void Give(std::uint64_t bytes) { left_ += bytes; }

 private:
  std::atomic<std::uint64_t> left_;
};

/// The id of a chunk: what a Python dictionary takes as a key, compared as Python compares.
struct ChunkId {
  enum class Kind { kNone, kNumber, kText };
  Kind kind = Kind::kNumber;
  long double number = 0;           ///< exact for 64-bit integers and doubles
  std::string text;                 ///< UTF-8, whose bytes sort as Python sorts characters
  std::string python_type = "int";  ///< for messages

  friend bool operator<(const ChunkId& a, const ChunkId& b) {
    if (a.kind != b.kind) return a.kind < b.kind;
    return a.kind == Kind::kText ? a.text < b.text : a.number < b.number;
  }
};

struct ChunkLimits {
  std::uint64_t max_bytes = std::uint64_t{1} << 30;  ///< of text that one assembly takes, repeats included
  std::size_t max_chunks = 65'536;
  std::size_t max_id = 256;  ///< bytes of a textual id
};

/// One client's upload in chunks (mesonet-api, section 4): pieces of base64 text under ids. The text lies in
/// a nameless file, so that memory is bounded by the number of chunks alone. Not thread-safe.
class ChunkAssembly {
 public:
  /// `total` is shared by all assemblies and must outlive this.
  ChunkAssembly(std::filesystem::path folder, ByteBudget& total, ChunkLimits limits = {});
  ~ChunkAssembly();
  ChunkAssembly(const ChunkAssembly&) = delete;
  ChunkAssembly& operator=(const ChunkAssembly&) = delete;

  /// Stores a piece; one with an id that is there already replaces it. kLimitExceeded over a limit,
  /// kOverloaded when all assemblies together hold too much, kInternal when the disk is full; the pieces are
  /// unchanged then.
  Result<void> Add(ChunkId id, std::string_view text);

  /// Remembers that the piece is not text but of this Python type, which makes Join() fail.
  Result<void> AddOther(ChunkId id, std::string python_type);

  /// Distinct ids.
  std::size_t count() const { return pieces_.size(); }

  /// Joins the pieces by rising id, keeps what stands between the first and the second comma if there is a
  /// comma, and decodes it. Errors (kBadRequest) have Python's words.
  Result<PrivateFile> Join() const;

 private:
  struct Piece {
    std::uint64_t offset = 0;
    std::uint64_t size = 0;
    std::size_t order = 0;   ///< of the first piece with this id
    std::string other_type;  ///< set when it is not text
  };
  using Visitor = std::function<Result<void>(std::string_view)>;

  Result<void> CheckRoom(const ChunkId& id) const;
  void Put(ChunkId id, Piece piece);
  Result<void> CheckOrder() const;
  Result<void> Visit(std::uint64_t begin, std::uint64_t end, const Visitor& visit) const;

  const std::filesystem::path folder_;
  ByteBudget& total_;
  const ChunkLimits limits_;
  std::optional<PrivateFile> file_;
  std::uint64_t taken_ = 0;
  std::map<ChunkId, Piece> pieces_;
};

}  // namespace unmask::compat
