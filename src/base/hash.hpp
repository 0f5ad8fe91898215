// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>

#include "unmask/error.hpp"

namespace unmask {

/// SHA-256 (FIPS 180-4) of bytes that come in pieces.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  Sha256& operator=(Sha256&&) noexcept;

  void Update(std::span<const char> bytes);

  /// Lower-case hex. Ends the computation: call once.
  std::string Finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Of an open file from its start, without moving the descriptor's position.
Result<std::string> Sha256OfFile(int fd);

}  // namespace unmask
