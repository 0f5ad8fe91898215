// SPDX-License-Identifier: Apache-2.0
#include "media/decoder/convert.hpp"

#include <cmath>
#include <new>

namespace unmask::decoder {
namespace {

int Coefficients(int colorspace) {
  switch (colorspace) {
    case AVCOL_SPC_BT709:
      return SWS_CS_ITU709;
    case AVCOL_SPC_FCC:
      return SWS_CS_FCC;
    case AVCOL_SPC_SMPTE240M:
      return SWS_CS_SMPTE240M;
    case AVCOL_SPC_BT2020_NCL:
    case AVCOL_SPC_BT2020_CL:
      return SWS_CS_BT2020;
    default:
      return SWS_CS_ITU601;
  }
}

bool IsFullRange(const AVFrame& frame) {
  switch (frame.format) {
    case AV_PIX_FMT_YUVJ420P:
    case AV_PIX_FMT_YUVJ411P:
    case AV_PIX_FMT_YUVJ422P:
    case AV_PIX_FMT_YUVJ440P:
    case AV_PIX_FMT_YUVJ444P:
      return true;
    default:
      return frame.color_range == AVCOL_RANGE_JPEG;
  }
}

}  // namespace

Size SquarePixels(Size stored, AVRational aspect) {
  if (aspect.num <= 0 || aspect.den <= 0) return stored;
  const double ratio = av_q2d(aspect);
  if (ratio > 16 || ratio < 1.0 / 16) return stored;
  if (ratio > 1) stored.width = static_cast<int>(std::lround(stored.width * ratio));
  if (ratio < 1) stored.height = static_cast<int>(std::lround(stored.height / ratio));
  return stored;
}

Size Converter::upright() const {
  return SwapsSides(orientation_) ? Size{stored_.height, stored_.width} : stored_;
}

bool Converter::Prepare(const AVFrame& frame) {
  const Size source{frame.width, frame.height};
  const int range = IsFullRange(frame);
  if (scaler_ && source == source_ && format_ == frame.format && colorspace_ == frame.colorspace &&
      range_ == range)
    return true;
  scaler_.reset(sws_getContext(source.width, source.height, static_cast<AVPixelFormat>(frame.format),
                               stored_.width, stored_.height, AV_PIX_FMT_BGR24, SWS_BICUBIC, nullptr, nullptr,
                               nullptr));
  if (!scaler_) return false;
  constexpr int kUnit = 1 << 16;
  // Fails for sources that are RGB already, which need none of it.
  sws_setColorspaceDetails(scaler_.get(), sws_getCoefficients(Coefficients(frame.colorspace)), range,
                           sws_getCoefficients(SWS_CS_DEFAULT), 1, 0, kUnit, kUnit);
  source_ = source;
  format_ = frame.format;
  colorspace_ = frame.colorspace;
  range_ = range;
  return true;
}

bool Converter::Convert(const AVFrame& frame, const Pixels& out) {
  if (frame.width <= 0 || frame.height <= 0 || !frame.data[0] || !Prepare(frame)) return false;
  Pixels target = out;
  if (orientation_ != Orientation::kUpright) {
    // libswscale's vector code may write a little beyond a row's end.
    constexpr std::size_t kSpare = 64;
    const std::size_t stride = (static_cast<std::size_t>(stored_.width) * 3 + kSpare - 1) / kSpare * kSpare;
    unturned_.resize(stride * (static_cast<std::size_t>(stored_.height) + 1));
    target = {unturned_.data(), stored_.width, stored_.height, stride};
  }
  std::uint8_t* planes[4] = {target.data};
  const int strides[4] = {static_cast<int>(target.stride)};
  if (sws_scale(scaler_.get(), frame.data, frame.linesize, 0, frame.height, planes, strides) <= 0)
    return false;
  if (orientation_ != Orientation::kUpright) TurnUpright(target, orientation_, out);
  return true;
}

}  // namespace unmask::decoder
