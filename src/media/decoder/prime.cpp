// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/prime.hpp"

#include <ctime>

#include "media/decoder/heif_codecs.hpp"
#include "media/decoder/libav.hpp"

namespace unmask::decoder {
namespace {

void OpenDecoder(const char* name) {
  const AVCodec* codec = avcodec_find_decoder_by_name(name);
  if (!codec) return;
  CodecContext context(avcodec_alloc_context3(codec));
  context->thread_count = 1;
  context->width = context->height = 16;
  avcodec_open2(context.get(), codec, nullptr);
}

void ConvertOnce() {
  SwsContext* sws = sws_getContext(16, 16, AV_PIX_FMT_YUV420P, 16, 16, AV_PIX_FMT_BGR24, SWS_BICUBIC, nullptr,
                                   nullptr, nullptr);
  sws_freeContext(sws);
}

}  // namespace

void Prime() {
  av_log_set_level(AV_LOG_QUIET);
  av_get_cpu_flags();
  av_cpu_count();
  const std::time_t epoch = 0;
  std::tm calendar{};
  ::tzset();
  ::gmtime_r(&epoch, &calendar);
  char text[32];
  std::strftime(text, sizeof text, "%Y", &calendar);
  for (const char* name : {"h264", "hevc", "vp8", "vp9", "libdav1d", "mpeg4", "mjpeg"}) OpenDecoder(name);
  ConvertOnce();
  // libheif registers its own plugins when it is loaded; those in files only heif_init() would look for.
  RegisterHeifCodecs();
}

}  // namespace unmask::decoder
