// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/file.hpp"
#include "http/handler.hpp"

namespace unmask {

/// A media file that has arrived.
struct Upload {
  PrivateFile media;
  std::string name;  ///< the part's file name, cleaned by CleanLabel(); "" when the client gave none
};

/// A receiver for one media file: the raw body, or the part `file` of multipart/form-data. Checks
/// Content-Type and Content-Encoding before anything is read (kUnsupportedMedia). `on_complete` is called
/// when all has arrived, on a handler thread.
Result<std::unique_ptr<http::BodyReceiver>> ReceiveUpload(
    const http::RequestPtr& request, const std::filesystem::path& folder,
    std::function<void(Upload, http::Responder)> on_complete);

/// A label as reports may show it: at most 255 bytes, cut between characters; control characters become
/// spaces, and anything before the last slash or backslash goes.
std::string CleanLabel(std::string_view label);

}  // namespace unmask
