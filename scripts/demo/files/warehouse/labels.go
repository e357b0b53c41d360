// Package labels prints shelf labels on the old thermal printers.
package labels

import (
	"errors"
	"fmt"
	"strings"
)

// ErrTooLong is returned when a text does not fit on one label.
var ErrTooLong = errors.New("labels: text too long")

type Label struct {
	Shelf string
	SKU   string
	Text  string
}

// Render gives the printer commands for one label.
func Render(l Label, width int) (string, error) {
	if l.Shelf == "" || l.SKU == "" {
		return "", errors.New("labels: shelf and SKU are needed")
	}
	text := strings.ToUpper(strings.TrimSpace(l.Text))
	if len(text) > width {
		if cut := strings.LastIndex(text[:width], " "); cut > width/2 {
			text = text[:cut]
		} else {
			return "", ErrTooLong
		}
	}
	return fmt.Sprintf("^XA^FO20,20^FD%s^FS^FO20,60^BCN,80^FD%s^FS^FO20,160^FD%s^FS^XZ", l.Shelf, l.SKU, text), nil
}

func RenderAll(labels []Label, width int) (string, []error) {
	var out strings.Builder
	var failed []error
	for i, l := range labels {
		s, err := Render(l, width)
		switch {
		case errors.Is(err, ErrTooLong):
			failed = append(failed, fmt.Errorf("label %d: %w", i, err))
		case err != nil:
			failed = append(failed, err)
		default:
			out.WriteString(s)
		}
	}
	return out.String(), failed
}
