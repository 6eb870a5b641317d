package vxp

// deliveryEntry is an entry of getReceivedEdocList, with the SDK's mix of styles.
type deliveryEntry struct {
	DocID       string `json:"docId"`
	ServiceType string `json:"serviceType"`
	MessageType Class  `json:"messageType"`
	CreatedTime string `json:"created_time,omitempty"`
	UpdatedTime string `json:"updated_time,omitempty"`
	From        string `json:"from"`
	To          string `json:"to"`
	Status      string `json:"status"`
	StatusDesc  string `json:"status_desc"`
}

// serviceType is the only service that there is.
const serviceType = "eDoc"

// received lists what waits. Of the parameters only messagetype counts: docId, status
// and to may be those of an earlier call of the client's object.
func (h *handler) received(c *call) error {
	class, err := c.params.class()
	if err != nil {
		return err
	}
	list, err := h.exchange.Waiting(c.r.Context(), c.system, class, h.ListLimit)
	if err != nil {
		return err
	}
	entries := []deliveryEntry{}
	for _, d := range list {
		entries = append(entries, deliveryEntry{
			DocID: d.DocID, ServiceType: serviceType, MessageType: d.Class,
			CreatedTime: moment(d.Created), UpdatedTime: moment(d.Updated),
			From: d.From, To: d.To, Status: d.Status, StatusDesc: d.StateText,
		})
	}
	return h.list(c, entries)
}

// list answers with entries, which must not be nil: the SDK takes null for a failure.
func (h *handler) list(c *call, entries any) error {
	a := success(h.Language)
	a.Data = entries
	return c.say(a)
}

// count counts one class, whatever messagetype says: the operation's name is clear.
func count(class Class) func(*handler, *call) error {
	return func(h *handler, c *call) error {
		n, err := h.exchange.Count(c.r.Context(), c.system, class)
		if err != nil {
			return err
		}
		a := success(h.Language)
		a.Count = &n
		return c.say(a)
	}
}

// sentEntry is an entry of getSentEdocList.
type sentEntry struct {
	ServiceType       string `json:"serviceType"`
	MessageType       Class  `json:"messageType"`
	SenderDocID       string `json:"senderDocId"`
	ReceiverDocID     string `json:"receiverDocId"`
	FromCode          string `json:"fromCode"`
	ToCode            string `json:"toCode"`
	Title             string `json:"title"`
	Notation          string `json:"notation"`
	SentTime          string `json:"sentTime,omitempty"`
	ReceivedTime      string `json:"receivedTime,omitempty"`
	SendStatus        string `json:"sendStatus"`
	SendStatusDesc    string `json:"sendStatusDesc"`
	ReceiveStatus     string `json:"receiveStatus"`
	ReceiveStatusDesc string `json:"receiveStatusDesc"`
}

// sent lists what became of sendings. A docId that is none of the system's may be left
// over from a document it received; then everything is listed.
func (h *handler) sent(c *call) error {
	class, err := c.params.class()
	if err != nil {
		return err
	}
	c.docID = c.params.either("docId", "docid")
	list, err := h.exchange.SentBy(c.r.Context(), c.system, class, c.docID, h.ListLimit)
	if err != nil {
		return err
	}
	entries := []sentEntry{}
	for _, s := range list {
		entries = append(entries, sentEntry{
			ServiceType: serviceType, MessageType: s.Class,
			SenderDocID: s.SenderDocID, ReceiverDocID: s.ReceiverDocID, FromCode: s.From, ToCode: s.To,
			Title: s.Title, Notation: s.Notation, SentTime: moment(s.SentAt), ReceivedTime: moment(s.ReceivedAt),
			SendStatus: s.SendStatus, SendStatusDesc: s.SendText,
			ReceiveStatus: s.ReceiveStatus, ReceiveStatusDesc: s.ReceiveText,
		})
	}
	return h.list(c, entries)
}

// update takes the system's word on a delivery. Programs fetch with docId and confirm
// with docid, so where an object has sent both, docid is the newer one here.
func (h *handler) update(c *call) error {
	c.docID = c.params.either("docid", "docId")
	if c.docID == "" {
		return noDocID()
	}
	word := Report(c.params["status"])
	switch word {
	case Processing, Done, Fail:
	default:
		return refuse(400, "status %q không hợp lệ. Hãy ghi processing, done hoặc fail.",
			"status %q is not known. Write processing, done or fail.", short(string(word)))
	}
	if err := h.exchange.Report(c.r.Context(), c.system, c.docID, word); err != nil {
		return err
	}
	return c.say(success(h.Language))
}

func noDocID() error {
	return refuse(400, "Thiếu tham số docId.", "The parameter docId is missing.")
}
