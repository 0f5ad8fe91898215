// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "compat/contract.hpp"
#include "http/message.hpp"

namespace unmask::compat {

/// One thing in which our answer differs from the old service's.
struct Difference {
  enum class Kind {
    kStatus,   ///< the status code
    kHeader,   ///< a header that clients go by
    kFormat,   ///< one body is JSON and the other is not
    kMissing,  ///< a key of theirs that we lack
    kOrder,    ///< the keys that both have come in another order
    kType,     ///< a value of another JSON type; 1 and 1.0 are two types
    kEvents,   ///< other events of Socket.IO, or in another order
    // From here on clients that read the documented keys see no other shape:
    kOutcome,  ///< one judged the file and the other did not
    kLength,   ///< an array of another length
    kText,     ///< another text, such as an error's
    kAdded,    ///< a key of ours that they lack
  };
  Kind kind = Kind::kStatus;
  std::string where;   ///< "Content-Type", "meta.used_step", "frame_samples[].t"; empty: the whole answer
  std::string theirs;  ///< as one line; empty where there is nothing
  std::string ours;

  /// Whether a client might stumble over it.
  bool is_shape() const { return kind < Kind::kOutcome; }
};

/// "status", "header", "format", ...
const char* DifferenceName(Difference::Kind kind);

struct CheckedAnswer {
  long status = 0;
  http::Headers headers;
  std::string body;
};

/// Adds the differences of two JSON values at the place `where`, each once: items of an array count as one
/// place.
void CompareValues(const std::string& where, const nlohmann::ordered_json& theirs,
                   const nlohmann::ordered_json& ours, std::vector<Difference>& found);

/// All differences of two answers to the same request, each once.
std::vector<Difference> CompareAnswers(Contract contract, const CheckedAnswer& theirs,
                                       const CheckedAnswer& ours);

}  // namespace unmask::compat
