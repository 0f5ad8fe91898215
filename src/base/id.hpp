// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace unmask {

/// A new id: a UUID version 7 (RFC 9562), so ids sort by time and cannot be guessed (74 random bits).
std::string NewId();

/// 16 random hex digits, to find one request in logs.
std::string NewTraceId();

}  // namespace unmask
