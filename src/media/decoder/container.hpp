// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "media/decoder/media_file.hpp"
#include "media/decoder/sniff.hpp"

namespace unmask::decoder {

/// What the outermost elements of a container tell, read by us.
struct Structure {
  bool truncated = false;  ///< an element reaches beyond the end of the file
  bool no_index = false;   ///< an MP4 without a complete 'moov' box, which nothing can decode
};

/// Total: any bytes give an answer. Reads headers of elements only, at most some thousands.
Structure ReadStructure(const MediaFile& file, Kind kind);

}  // namespace unmask::decoder
