// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "compat/upload.hpp"

namespace unmask::compat {

/// True for the first bytes (a few hundred) of a video file: MP4 and its kin, Matroska and WebM, AVI, FLV,
/// Ogg, MPEG streams.
bool LooksLikeVideo(std::string_view head);

/// Whether mesonet-api takes the file. The original goes by the part's Content-Type alone, which must begin
/// with "video/". Many clients send application/octet-stream or none for a video: then its bytes decide.
bool IsVideoUpload(const FormFile& file);

}  // namespace unmask::compat
