# SPDX-License-Identifier: PostgreSQL
# 1,000 streams woken by one commit: when the last of those who wait has been woken.
# The slow poll is a second away, so whoever had to wait for it shows.

title='1,000 streams ring at once'
target='<= 1000'

measure() {
    local round waiter listener low high
    : > "$work/a"
    : > "$work/b"
    for ((round = 1; round <= rounds; round++)); do
        read -r waiter listener < <("$(program doorbell)" together 1000 50)
        echo "$waiter" >> "$work/a"
        echo "$listener" >> "$work/b"
        raw 50 "$round" a 'last waiter' '' "$waiter" ''
        raw 50 "$round" b 'last notification' '' "$listener" ''
    done
    a_name='last of 50 in weir.wait_many' b_name='last of 1,000 notifications' judge=value
    read -r low high < <(spread < "$work/a")
    row 50 ms "$(median < "$work/a")" "$(median < "$work/b")" "$(median < "$work/a")" "$low" "$high"
}
