// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "compat/check/compare.hpp"
#include "compat/check/judgement.hpp"
#include "compat/contract.hpp"

namespace unmask::compat {

/// What `unmask compat-check` compares, and how.
struct CheckOptions {
  Contract contract = Contract::kMicroserviceV1;
  std::string against;                                      ///< the old service's root, "http://host:5000"
  std::string ours;                                         ///< unmask's, of the same contract
  std::vector<std::pair<std::string, std::string>> fields;  ///< further form fields of every request
  std::string query;                                        ///< of every request, "fps=4"; may be empty
  std::string token;                                        ///< not empty: Authorization: Bearer TOKEN
  double timeout = 300;                                     ///< seconds without a byte from a service

  /// How a video goes to mesonet-api: POST /upload, or Socket.IO by one of its transports.
  enum class Transport { kHttp, kPolling, kWebSocket };
  Transport transport = Transport::kHttp;
  double limit_wait = 61;  ///< seconds to wait when a service answers 429, before it is asked again
};

/// One file, sent to both.
struct FileCheck {
  std::filesystem::path file;
  std::string unreachable;  ///< not empty: why there was no answer, and whose; what follows is empty then
  std::optional<Judgement> theirs, ours;
  double their_seconds = 0, our_seconds = 0;  ///< until the whole answer was there
  std::vector<Difference> differences;

  /// Whether no difference is one of shape.
  bool same_shape() const;
};

/// All files together. Scores are compared where both services judged the file.
struct CheckSummary {
  std::size_t files = 0;
  std::size_t unreachable = 0;
  std::size_t same_shape = 0;
  std::size_t judged = 0;  ///< by both
  std::size_t same_label = 0;
  double mean_difference = 0;     ///< of the scores, without sign
  double largest_difference = 0;  ///< likewise
};

CheckSummary Summarise(const std::vector<FileCheck>& files);

/// Whether this file can be sent to a service of that contract: it can be read, and its name tells whether it
/// is a picture or a video where that decides the way. kUnreadable, kNotFound or kUnsupportedMedia.
Result<void> CheckSendable(Contract contract, const std::filesystem::path& file);

/// Sends files to both services, one after the other, as a client of that service does. Blocks. Not
/// thread-safe.
class Checker {
 public:
  /// Told before it waits because of a 429: whose it was, and for how many seconds.
  using OnWait = std::function<void(const std::string& service, double seconds)>;

  explicit Checker(CheckOptions options, OnWait on_wait = {});
  ~Checker();

  /// `file` has passed CheckSendable(). A requested stop makes the file unreachable.
  FileCheck Check(const std::filesystem::path& file, std::stop_token stop);

 private:
  struct Exchange;
  Exchange Send(const std::string& service, const std::filesystem::path& file, const std::stop_token& stop);
  Exchange Post(const std::string& service, const std::filesystem::path& file, const std::stop_token& stop);
  Exchange Emit(const std::string& service, const std::filesystem::path& file,
                const std::stop_token& stop) const;

  bool by_socket() const { return options_.transport != CheckOptions::Transport::kHttp; }

  const CheckOptions options_;
  const OnWait on_wait_;
  struct Client;
  const std::unique_ptr<Client> client_;
};

/// For people: a line a file, its differences below, the summary at the end.
std::string CheckText(const CheckOptions& options, const std::vector<FileCheck>& files);

/// {"contract", "against", "ours", "files": [...], "summary": {...}}
std::string CheckJson(const CheckOptions& options, const std::vector<FileCheck>& files);

}  // namespace unmask::compat
