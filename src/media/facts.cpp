// SPDX-License-Identifier: Apache-2.0
#include "media/facts.hpp"

namespace unmask {

void Describe(const MediaInfo& info, MediaFacts& media) {
  media.kind = info.kind;
  media.container = info.container;
  media.codec = info.codec;
  media.width = info.width;
  media.height = info.height;
  media.duration = info.duration;
  media.fps = info.fps;
  media.frames = info.frames;
}

}  // namespace unmask
