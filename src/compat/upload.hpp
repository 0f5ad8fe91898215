// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file.hpp"
#include "http/handler.hpp"

namespace unmask::compat {

/// How a service reads its form.
struct FormRules {
  std::string file_field;  ///< the only field whose file is kept; others are read and dropped

  /// Which counts when a field comes twice: Flask takes the first, FastAPI the last.
  enum class Twice { kFirst, kLast };
  Twice twice = Twice::kFirst;

  /// A body that ends within a part: Flask takes it for a broken form, FastAPI takes the parts before.
  bool ended_parts_count = false;

  std::size_t max_text = 500'000;       ///< bytes of all text fields together; Werkzeug's default
  std::size_t max_parts = 1000;         ///< likewise
  std::uint64_t max_body = UINT64_MAX;  ///< bytes; more is kTooLarge
};

/// Error::limit of the kTooLarge that FormRules::max_text gives.
inline constexpr const char* kFormTextLimit = "form_text_bytes";

/// A file that has come with a form.
struct FormFile {
  PrivateFile media;
  std::string filename;      ///< as sent: a label, never a path; may be empty
  std::string content_type;  ///< as sent, "" when absent
};

/// What a report may call the file: its name without folders and control characters, else `standard`.
std::string LabelOf(const FormFile& file, const char* standard);

/// What a form held.
struct Form {
  std::optional<FormFile> file;
  std::vector<std::pair<std::string, std::string>> fields;  ///< text fields, at most one of each name

  /// Set when the body is no form at all, or a broken one: then there are no file and no fields. Flask treats
  /// it as an empty form, FastAPI refuses it.
  std::optional<Error> malformed;

  /// The text of a field, or null.
  const std::string* Find(std::string_view name) const;
};

/// A receiver for a form with one file, which goes into a private file in `folder`. `on_complete` is called
/// on a handler thread when all has arrived, also for a malformed form. Too large a body or text fails with
/// kTooLarge at once, a full disk with kInternal. Any Content-Type is taken: what is no multipart/form-data
/// (or urlencoded form) is a form without fields.
std::unique_ptr<http::BodyReceiver> ReceiveForm(const http::RequestPtr& request,
                                                const std::filesystem::path& folder, FormRules rules,
                                                std::function<void(Form, http::Responder)> on_complete);

}  // namespace unmask::compat
