// SPDX-License-Identifier: PostgreSQL
//
// Everything.
#pragma once

#include "weir/batch.hpp"
#include "weir/connection.hpp"
#include "weir/cursor.hpp"
#include "weir/error.hpp"
#include "weir/frame.hpp"
#include "weir/lease.hpp"
#include "weir/lease_guard.hpp"
#include "weir/notifier.hpp"
#include "weir/outbox.hpp"
#include "weir/pipeline.hpp"
#include "weir/pool.hpp"
#include "weir/position.hpp"
#include "weir/result.hpp"
#include "weir/stream.hpp"
#include "weir/subscriber.hpp"
#include "weir/subscription.hpp"
#include "weir/tail.hpp"
#include "weir/transaction.hpp"
#include "weir/until.hpp"
#include "weir/wait.hpp"
