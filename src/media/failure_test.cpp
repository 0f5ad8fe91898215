// SPDX-License-Identifier: Apache-2.0
#include "media/failure.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace unmask {
namespace {

using testing::HasSubstr;
using wire::FailureReason;

Error Describe(FailureReason reason, std::string_view detail = {}, std::int64_t found = 0) {
  wire::Failure failure;
  failure.reason = reason;
  failure.found = found;
  wire::SetText(failure.detail, detail);
  return DescribeFailure(failure, MediaLimits{});
}

TEST(Failure, AnUnknownCodecIsNamedWithTheAcceptedOnes) {
  const Error error = Describe(FailureReason::kUnknownCodec, "magicyuv");
  EXPECT_EQ(error.code, ErrorCode::kUnsupportedMedia);
  EXPECT_EQ(error.message,
            "video codec 'magicyuv' is not accepted (accepted: h264, hevc, vp8, vp9, av1, mpeg4, mjpeg)");
  EXPECT_EQ(error.hint, "convert it first, e.g. ffmpeg -i IN -c:v libx264 -crf 18 OUT.mp4");
}

TEST(Failure, APictureThatNobodyReadsIsToBeSavedAsAnother) {
  for (const char* kind : {"tiff", "jxl", "jpeg2000"}) {
    const Error error = Describe(FailureReason::kUnknownKind, kind);
    EXPECT_EQ(error.code, ErrorCode::kUnsupportedMedia);
    EXPECT_EQ(error.hint, "save it as JPEG or PNG first") << kind;
  }
  const Error coded = Describe(FailureReason::kUnknownStill, "vvc1");
  EXPECT_EQ(coded.code, ErrorCode::kUnsupportedMedia);
  EXPECT_EQ(coded.message, "picture codec 'vvc1' is not accepted in this container (accepted: hevc, av1)");
  EXPECT_EQ(coded.hint, "save it as JPEG or PNG first");
}

TEST(Failure, EachLimitNamesItself) {
  EXPECT_EQ(Describe(FailureReason::kTooManyPixels).limit, "max_pixels");
  EXPECT_EQ(Describe(FailureReason::kSideTooLong).limit, "max_side");
  EXPECT_EQ(Describe(FailureReason::kTooManyStreams).limit, "max_streams");
  EXPECT_EQ(Describe(FailureReason::kTooLong).limit, "max_duration");
  EXPECT_EQ(Describe(FailureReason::kOutOfMemory).limit, "decoder_memory");
  EXPECT_EQ(Describe(FailureReason::kOutOfMemory).code, ErrorCode::kLimitExceeded);
}

TEST(Failure, AnyReasonAndTextGiveAnError) {
  for (std::uint32_t reason = 0; reason < 1000; ++reason) {
    wire::Failure failure;
    failure.reason = static_cast<FailureReason>(reason);
    for (auto& c : failure.detail) c = '<';
    const Error error = DescribeFailure(failure, MediaLimits{});
    EXPECT_FALSE(error.message.empty());
    EXPECT_THAT(error.message, testing::Not(HasSubstr("<")));
  }
}

TEST(Failure, DeathIsToldByItsCause) {
  EXPECT_THAT(DescribeDeath(SIGSEGV, {}).message, HasSubstr("SIGSEGV"));
  EXPECT_EQ(DescribeDeath(SIGSEGV, {}).code, ErrorCode::kDecoderCrashed);
  EXPECT_THAT(DescribeDeath(SIGSYS, {}).message, HasSubstr("sandbox refuses"));
  EXPECT_EQ(DescribeDeath(SIGXCPU, {}).code, ErrorCode::kDecoderTimeout);
  EXPECT_EQ(DescribeDeath(SIGKILL, {}).code, ErrorCode::kDecoderCrashed);
  EXPECT_THAT(DescribeDeath(3 << 8, {}).message, HasSubstr("status 3"));
}

}  // namespace
}  // namespace unmask
