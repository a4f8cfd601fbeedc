package radsecproxy

import (
	"regexp"
	"strings"
	"testing"
)

// An expression of POSIX becomes a pattern that finds the same, and the text that replaces
// the whole value.
func TestReplacementOf(t *testing.T) {
	for option, want := range map[string][2]string{
		`^(.*)@old\.example$/\1@new.example/`: {`(?is)^(.*)@old\.example$`, `${1}@new.example`},
		`@old$/new`:                           {`(?is)^.*?(?:@old$).*$`, `new`},
		`^a|b$/x/`:                            {`(?is)^.*?(?:^a|b$).*$`, `x`},
		`^a\/b$/c/d/`:                         {`(?is)^a\/b$`, `c/d`},
		`^[^\]+\\(.*)$/\1/`:                   {`(?is)^[^\\]+\\(.*)$`, `${1}`},
		`^[]a[]\s+$/x/`:                       {`(?is)^[\]a\[][[:space:]]+$`, `x`},
		`^(a)$/x$1{\1}\2\0/`:                  {`(?is)^(a)$`, `x$$1{{${1}}}\2\0`},
		`^(.+\.)?(a|b.*)$/\2/`:                {`(?is)^(.+\.)?(a|b.*)$`, `${2}`},
		`^[[:alpha:]]{2,3}$/x/`:               {`(?is)^[[:alpha:]]{2,3}$`, `x`},
		`/x/`:                                 {`(?is)^.*?(?:).*$`, `x`},
	} {
		pattern, with, err := replacementOf(option)
		if err != nil || pattern != want[0] || with != want[1] {
			t.Errorf("%s: expected %q, got %q, %q, %v", option, want, pattern, with, err)
		}
	}
}

// What would have another result in RE2 syntax is not translated.
func TestReplacementOfNothing(t *testing.T) {
	for option, want := range map[string]string{
		`a`:                "expected /EXPRESSION/TEXT/",
		`a/`:               "expected /EXPRESSION/TEXT/",
		`a//`:              "without a value",
		`^(a|ab)(.*)$/\2/`: "several may match",
		`^(ab)*c$/\1/`:     "repeats more than one character",
		`(ab)?(.)/\2/`:     "repeats more than one character",
		`^(a)?b$/\1/`:      "may match without a group",
		`^((a)|bc)$/\2/`:   "may match without a group",
		`a*?b/x/`:          "nothing to repeat",
		`(?i)a/x/`:         "nothing to repeat",
		`*a/x/`:            "nothing to repeat",
		`a{,2}/x/`:         "no number of repetitions",
		`\d+/x/`:           `\d, which means something else`,
		`(a)\1/x/`:         `\1, which means something else`,
		`\<a/x/`:           `\<, which means something else`,
		`[[=a=]]/x/`:       "collating element",
		`[a/x/`:            "[ without ]",
		`[[:a/x/`:          "[: without :]",
		`(a/x/`:            "no counterpart in RE2",
		`a{2000}/x/`:       "no counterpart in RE2",
		"\xff/x/":          "not UTF-8",
		`a\`:               "expected /EXPRESSION/TEXT/",
	} {
		if pattern, with, err := replacementOf(option); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: expected an error with %q, got %q, %q, %v", option, want, pattern, with, err)
		}
	}
}

// Every pattern is one of RE2, and its text has no group that it does not have.
func FuzzReplacementOf(f *testing.F) {
	for _, s := range []string{`^(.*)@old\.example$/\1@new/`, `[]a[:alpha:]\]+/x/`, `(a|b){1,2}/\1\9/`, `\s\w/$1{/`, `^.(`, `(a|[bc])?$/\1`} {
		f.Add(s)
	}
	group := regexp.MustCompile(`\$\{([0-9])\}`)
	f.Fuzz(func(t *testing.T, option string) {
		pattern, with, err := replacementOf(option)
		if err != nil {
			return
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			t.Fatalf("%q: expected a pattern of RE2, got %v", option, err)
		}
		for _, m := range group.FindAllStringSubmatch(strings.ReplaceAll(with, "$$", ""), -1) {
			if int(m[1][0]-'0') > re.NumSubexp() {
				t.Fatalf("%q: expected at most %d groups, got %q", option, re.NumSubexp(), with)
			}
		}
	})
}
