package metrics

import (
	"layeh.com/radius"

	"radsec-gw/wire"
)

// Answer is the Code of a packet that was sent to a client, as a label. The list is
// closed: a Code that is not a reply's is "other".
type Answer uint8

// answerCodes are the codes that a client can be sent, in the order of their labels.
var answerCodes = [...]wire.Code{
	radius.CodeAccessAccept, radius.CodeAccessReject, radius.CodeAccessChallenge, radius.CodeAccountingResponse,
	radius.CodeDisconnectACK, radius.CodeDisconnectNAK, radius.CodeCoAACK, radius.CodeCoANAK, wire.CodeProtocolError,
}

// NumAnswers is how many labels there are, "other" included.
const NumAnswers = Answer(len(answerCodes)) + 1

// AnswerOf returns the label for a code.
func AnswerOf(c wire.Code) Answer {
	for i, code := range answerCodes {
		if code == c {
			return Answer(i)
		}
	}
	return NumAnswers - 1
}

// String returns the answer's label value: the code as the RFCs write it.
func (a Answer) String() string {
	if int(a) < len(answerCodes) {
		return wire.CodeName(answerCodes[a])
	}
	return "other"
}
