// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "media/decoder/media_file.hpp"
#include "media/decoder/output.hpp"

namespace unmask::decoder {

/// Decodes a video from its start to its end with one thread and gives the sampled frames. Throws GiveUp.
///
/// A frame's index is its rank in presentation order: how many packets of the stream, as far as they have
/// been read, are shown before it. That counts frames which the codec was told to skip.
void DecodeVideo(const MediaFile& file, Kind kind, const wire::Job& job, Output& output);

}  // namespace unmask::decoder
