// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "media/decoder/libav.hpp"
#include "media/decoder/media_file.hpp"
#include "media/decoder/output.hpp"

namespace unmask::decoder {

/// An open container with one stream chosen and all others discarded. No network, no other file, no demuxer
/// but the one that the first bytes call for, no codec that is not on our list. Not movable: libavformat
/// keeps pointers into it.
class Demuxer {
 public:
  /// Throws GiveUp.
  Demuxer(const MediaFile& file, Kind kind, const wire::Job& job);

  AVFormatContext& context() const { return *context_; }
  AVStream& stream() const { return *stream_; }

  /// The decoder that we use for the stream's codec.
  const AVCodec& codec() const { return *codec_; }

  /// The codec's name as users know it: "av1", not "libdav1d".
  std::string_view codec_name() const;

  /// The next packet of the stream. 0, AVERROR_EOF, or another libav error after which reading may go on.
  int Read(AVPacket& packet);

  /// Whether the packet holds a frame that is shown.
  bool IsShown(const AVPacket& packet) const;

 private:
  void Open(Kind kind, const wire::Job& job);
  void Choose();

  MediaInput input_;
  FormatContext context_;
  AVStream* stream_ = nullptr;
  const AVCodec* codec_ = nullptr;
};

}  // namespace unmask::decoder
