// SPDX-License-Identifier: Apache-2.0
#include "compat/mesonet/chunk_assembly.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <span>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "compat/mesonet/lenient_base64.hpp"

namespace unmask::compat {
namespace {

constexpr std::size_t kBlock = 256 * 1024;  // read and decoded at a time

std::uint64_t TextLength(const auto& pieces) {
  std::uint64_t length = 0;
  for (const auto& [id, piece] : pieces) length += piece.size;
  return length;
}

}  // namespace

bool ByteBudget::Take(std::uint64_t bytes) {
  std::uint64_t left = left_;
  while (left >= bytes)
    if (left_.compare_exchange_weak(left, left - bytes)) return true;
  return false;
}

ChunkAssembly::ChunkAssembly(std::filesystem::path folder, ByteBudget& total, ChunkLimits limits)
    : folder_(std::move(folder)), total_(total), limits_(limits) {}

ChunkAssembly::~ChunkAssembly() { total_.Give(taken_); }

Result<void> ChunkAssembly::CheckRoom(const ChunkId& id) const {
  if (id.text.size() > limits_.max_id)
    return Fail(ErrorCode::kLimitExceeded, fmt::format("chunk_id is longer than {} bytes", limits_.max_id),
                "number the chunks", "chunk_id_bytes");
  if (pieces_.size() >= limits_.max_chunks && !pieces_.contains(id))
    return Fail(ErrorCode::kLimitExceeded, fmt::format("more than {} chunks", limits_.max_chunks),
                "send larger chunks", "chunks");
  return {};
}

void ChunkAssembly::Put(ChunkId id, Piece piece) {
  const auto found = pieces_.find(id);
  piece.order = found == pieces_.end() ? pieces_.size() : found->second.order;
  if (found != pieces_.end())
    found->second = std::move(piece);
  else
    pieces_.emplace(std::move(id), std::move(piece));
}

Result<void> ChunkAssembly::Add(ChunkId id, std::string_view text) {
  if (auto room = CheckRoom(id); !room) return room;
  if (text.size() > limits_.max_bytes - taken_)
    return Fail(ErrorCode::kLimitExceeded,
                fmt::format("the chunks are larger than {} bytes together", limits_.max_bytes),
                "send a shorter video", "upload_bytes");
  if (!file_) {
    auto file = PrivateFile::Create(folder_);
    if (!file) return tl::unexpected(file.error());
    file_ = std::move(*file);
  }
  if (!total_.Take(text.size()))
    return Fail(ErrorCode::kOverloaded, "too many uploads are under way", "send the video again later");
  taken_ += text.size();
  const Piece piece{.offset = file_->size(), .size = text.size(), .order = 0, .other_type = ""};
  if (auto appended = file_->Append(std::span(text.data(), text.size())); !appended) return appended;
  Put(std::move(id), piece);
  return {};
}

Result<void> ChunkAssembly::AddOther(ChunkId id, std::string python_type) {
  if (auto room = CheckRoom(id); !room) return room;
  Put(std::move(id), {.offset = 0, .size = 0, .order = 0, .other_type = std::move(python_type)});
  return {};
}

/// Python compares the ids in the order in which they came; the first that does not compare is named.
Result<void> ChunkAssembly::CheckOrder() const {
  const auto first = std::min_element(pieces_.begin(), pieces_.end(), [](const auto& a, const auto& b) {
    return a.second.order < b.second.order;
  });
  const std::pair<const ChunkId, Piece>* other = nullptr;
  for (const auto& piece : pieces_)
    if (piece.first.kind != first->first.kind && (!other || piece.second.order < other->second.order))
      other = &piece;
  if (other)
    return Fail(ErrorCode::kBadRequest,
                fmt::format("'<' not supported between instances of '{}' and '{}'", other->first.python_type,
                            first->first.python_type),
                "number the chunks");
  std::size_t index = 0;
  for (const auto& [id, piece] : pieces_) {
    if (!piece.other_type.empty())
      return Fail(ErrorCode::kBadRequest,
                  fmt::format("sequence item {}: expected str instance, {} found", index, piece.other_type),
                  "send base64 text");
    ++index;
  }
  return {};
}

Result<void> ChunkAssembly::Visit(std::uint64_t begin, std::uint64_t end, const Visitor& visit) const {
  const auto file = OpenForReading(file_->path());
  if (!file) return tl::unexpected(file.error());
  std::string block(kBlock, '\0');
  std::uint64_t at = 0;  // in the joined text
  for (const auto& [id, piece] : pieces_) {
    const std::uint64_t from = std::max(begin, at);
    const std::uint64_t to = std::min(end, at + piece.size);
    for (std::uint64_t i = from; i < to;) {
      const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(block.size(), to - i));
      const auto got = ::pread(file->get(), block.data(), wanted, static_cast<off_t>(piece.offset + i - at));
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0)
        return Fail(ErrorCode::kInternal,
                    fmt::format("cannot read stored chunks: {}", std::generic_category().message(errno)));
      if (auto visited = visit({block.data(), static_cast<std::size_t>(got)}); !visited) return visited;
      i += static_cast<std::uint64_t>(got);
    }
    at += piece.size;
  }
  return {};
}

Result<PrivateFile> ChunkAssembly::Join() const {
  if (pieces_.empty()) return Fail(ErrorCode::kBadRequest, "no chunks");
  if (const auto ordered = CheckOrder(); !ordered) return tl::unexpected(ordered.error());

  std::vector<std::uint64_t> commas;  // the first two
  std::uint64_t at = 0;
  const auto find = [&](std::string_view block) -> Result<void> {
    for (auto i = block.find(','); i != std::string_view::npos && commas.size() < 2;
         i = block.find(',', i + 1))
      commas.push_back(at + i);
    at += block.size();
    return {};
  };
  const std::uint64_t length = TextLength(pieces_);
  if (const auto found = Visit(0, length, find); !found) return tl::unexpected(found.error());

  auto decoded = PrivateFile::Create(folder_);
  if (!decoded) return decoded;
  LenientBase64 decoder;
  std::string bytes;
  const auto decode = [&](std::string_view block) -> Result<void> {
    bytes.clear();
    if (auto done = decoder.Decode(block, bytes); !done) return done;
    return decoded->Append(bytes);
  };
  const std::uint64_t begin = commas.empty() ? 0 : commas[0] + 1;
  const std::uint64_t end = commas.size() < 2 ? length : commas[1];
  if (const auto done = Visit(begin, end, decode); !done) return tl::unexpected(done.error());
  if (const auto done = decoder.Finish(); !done) return tl::unexpected(done.error());
  return decoded;
}

}  // namespace unmask::compat
