// SPDX-License-Identifier: PostgreSQL
//
// What weir doctor looks at. Each check stands for itself: one that cannot be made is a finding too.
#pragma once

#include "shell/connect.hpp"

#include <functional>
#include <string>

namespace weir::command {

enum class verdict { good, note, problem };

struct finding {
    verdict how = verdict::good;
    std::string about = {}; // one word
    std::string text = {};
    std::string advice = {}; // what to do
};

// Throws weir::error where there is no connection at all.
void check_everything(connector &server, std::function<void(finding const &)> const &found);

} // namespace weir::command
