// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "media/media.hpp"
#include "media/wire/message.hpp"
#include "unmask/error.hpp"

namespace unmask {

/// The words for a failure that the decoder reported. Total: any bytes in `failure` give an error.
Error DescribeFailure(const wire::Failure& failure, const MediaLimits& limits);

/// The words for a decoder that ended without a last message; `wait_status` as waitpid gives it.
Error DescribeDeath(int wait_status, const MediaLimits& limits);

}  // namespace unmask
