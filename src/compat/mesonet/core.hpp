// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <utility>

#include "compat/contract.hpp"
#include "compat/mesonet/chunk_assembly.hpp"

namespace unmask::compat {

/// What the two interfaces of mesonet-api share. Thread-safe.
struct MesonetCore {
  explicit MesonetCore(ContractContext ctx)
      : context(std::move(ctx)),
        chunks(context.max_upload_bytes / 3 * kUploadsInChunks * 4),
        chunk_limits{.max_bytes = context.max_upload_bytes / 3 * 4 + 4096} {}

  static constexpr std::uint64_t kUploadsInChunks = 4;  ///< of the largest size, that may lie on disk at once

  const ContractContext context;
  ByteBudget chunks;               ///< base64 text of all uploads in chunks
  const ChunkLimits chunk_limits;  ///< of one of them

  std::atomic<std::uint64_t> uploads = 0;      ///< videos that came by HTTP
  std::atomic<std::uint64_t> messages = 0;     ///< videos that came by Socket.IO
  std::atomic<std::uint64_t> connections = 0;  ///< Socket.IO clients, ever
  std::atomic<std::int64_t> connected = 0;     ///< now

  bool detector_ready() const { return context.ready; }
};

}  // namespace unmask::compat
