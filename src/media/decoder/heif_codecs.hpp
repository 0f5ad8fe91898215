// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <exception>

#include "media/wire/message.hpp"

namespace unmask::decoder {

/// What decoding the coded pictures of one file may cost, and how it went.
struct HeifWork {
  const wire::Job& job;        ///< its limits hold for each of them
  std::int64_t pixels_left;    ///< of all of them together, in samples of the first plane
  std::int64_t errors = 0;     ///< what the codecs complained about
  std::exception_ptr failure;  ///< why one could not be decoded, if it is more than broken data
};

/// Has libheif decode HEVC and AV1 by libavcodec from now on, as videos are. Its own plugins do it in
/// threads, which the sandbox ends, and without our limits. Call once, before the sandbox closes.
void RegisterHeifCodecs();

/// Says whom the codecs work for from now on. `work` must live until the last call of libheif.
void SetHeifWork(HeifWork& work);

}  // namespace unmask::decoder
