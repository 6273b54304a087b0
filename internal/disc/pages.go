package disc

import (
	"context"
	"fmt"
	"html/template"
	"image/jpeg"
	"io"
	"strings"

	"collimator/dicom"
	"collimator/dicom/media"
	"collimator/dicom/pixel"
	"collimator/dicom/report"
	"collimator/dicom/tag"
	"collimator/dicom/waveform"
)

// Bounds of the pages: pictures of one object and of all, pixels of a side of one.
const (
	framesMost   = 120
	picturesMost = 50_000
	sideMost     = 1024
)

// pages are the pages of a medium while objects are added.
type pages struct {
	to       media.Target
	o        BurnOptions
	words    pageWords
	series   []*pageSeries
	bySeries map[string]*pageSeries
	pictures int
}

// pageSeries is a series on the pages.
type pageSeries struct {
	Folder, Page                                 string // below VIEW
	Patient, PatientID, Birth, Date, Study, Name string
	Modality                                     string
	Items                                        []pageItem
	files                                        int
}

// pageItem is an object on the page of its series.
type pageItem struct {
	File     string // of the object, from VIEW
	Number   string
	Pictures []string
	More     int    // frames of which there is no picture
	Document string // a page, a drawing or a PDF of it
}

func newPages(to media.Target, o BurnOptions) *pages {
	return &pages{to: to, o: o, words: wordsOf(o.Language), bySeries: map[string]*pageSeries{}}
}

// object makes what is shown of an object. Of what cannot be shown there is the file alone.
func (p *pages) object(ctx context.Context, piece Piece, path string) error {
	ds := piece.DataSet
	if ds == nil {
		return nil
	}
	s := p.seriesOf(ds)
	item := pageItem{File: "../" + path, Number: ds.Text(tag.InstanceNumber)}
	var err error
	switch {
	case ds.Has(tag.EncapsulatedDocument):
		err = p.document(ds, s, &item)
	case report.Has(ds):
		if r, bad := report.Of(ds, report.Limits{}); bad == nil {
			item.Document, err = p.file(s, "TX", "HTM", r.WriteHTML)
		}
	case waveform.Has(ds):
		if groups, bad := waveform.Read(ds, waveform.Limits{}); bad == nil {
			item.Document, err = p.file(s, "CV", "SVG", func(w io.Writer) error { return waveform.WriteSVG(w, groups) })
		}
	case ds.Has(tag.PixelData):
		err = p.frames(ctx, piece, s, &item)
	}
	s.Items = append(s.Items, item)
	return err
}

func (p *pages) seriesOf(ds *dicom.DataSet) *pageSeries {
	key := ds.Text(tag.StudyInstanceUID) + " " + ds.Text(tag.SeriesInstanceUID)
	if s := p.bySeries[key]; s != nil {
		return s
	}
	folder := fmt.Sprintf("SE%06d", len(p.series))
	s := &pageSeries{
		Folder: folder, Page: folder + ".HTM", PatientID: ds.Text(tag.PatientID),
		Patient: strings.TrimSpace(strings.ReplaceAll(ds.Text(tag.PatientName), "^", " ")),
		Birth:   isoDay(ds.Text(tag.PatientBirthDate)), Date: isoDay(ds.Text(tag.StudyDate)), Study: ds.Text(tag.StudyDescription),
		Name: ds.Text(tag.SeriesDescription), Modality: ds.Text(tag.Modality),
	}
	p.series = append(p.series, s)
	p.bySeries[key] = s
	return s
}

// Cover is a picture from the middle of the series; empty where it has none.
func (s *pageSeries) Cover() string {
	all := s.Items
	for i := range all {
		item := all[(len(all)/2+i)%len(all)]
		if n := len(item.Pictures); n > 0 {
			return item.Pictures[n/2]
		}
	}
	return ""
}

func isoDay(date string) string {
	if len(date) != 8 {
		return date
	}
	return date[:4] + "-" + date[4:6] + "-" + date[6:]
}

// file writes a file of the pages beside those of its series, and gives its name from VIEW.
func (p *pages) file(s *pageSeries, kind, ext string, write func(io.Writer) error) (string, error) {
	s.files++
	name := fmt.Sprintf("%s/%s%06d.%s", s.Folder, kind, s.files, ext)
	w, err := p.to.Create("VIEW/" + name)
	if err != nil {
		return "", err
	}
	if err := write(w); err != nil {
		_ = w.Close() // the medium is given up
		return "", err
	}
	return name, w.Close()
}

func (p *pages) document(ds *dicom.DataSet, s *pageSeries, item *pageItem) (err error) {
	el, ok := ds.Get(tag.EncapsulatedDocument)
	if !ok || dicom.MediaType(ds.Text(tag.MIMETypeOfEncapsulatedDocument)) != "application/pdf" {
		return nil // the file alone
	}
	r, bad := el.Open()
	if bad != nil {
		return nil
	}
	item.Document, err = p.file(s, "DC", "PDF", func(w io.Writer) error {
		_, err := io.Copy(w, r)
		return err
	})
	return err
}

// frames makes pictures of the frames of an image, as far as they can be decoded.
func (p *pages) frames(ctx context.Context, piece Piece, s *pageSeries, item *pageItem) error {
	f, err := pixel.Index(piece.DataSet)
	if err != nil {
		return nil // the file alone
	}
	for n := 1; n <= f.Len(); n++ {
		if n > framesMost || p.pictures >= picturesMost {
			item.More = f.Len() - n + 1
			return nil
		}
		name, err := p.picture(ctx, piece, s, n)
		if err != nil {
			return err
		}
		if name == "" {
			return nil // what cannot be decoded once cannot be decoded again
		}
		item.Pictures = append(item.Pictures, name)
		p.pictures++
	}
	return nil
}

// picture writes one frame; without a name where it cannot be shown.
func (p *pages) picture(ctx context.Context, piece Piece, s *pageSeries, n int) (string, error) {
	if p.o.Take != nil {
		done, err := p.o.Take(ctx, pixel.RenderCost(piece.DataSet, n, piece.Syntax)+4*sideMost*sideMost)
		if err != nil {
			return "", ctx.Err() // there is no room for it: the file alone
		}
		defer done()
	}
	img, err := pixel.Render(ctx, piece.DataSet, n, piece.Syntax, pixel.RenderOptions{})
	if err != nil {
		return "", ctx.Err()
	}
	if b := img.Bounds(); b.Dx() > sideMost || b.Dy() > sideMost {
		if img, err = pixel.Scale(ctx, img, pixel.View{Width: sideMost, Height: sideMost}); err != nil {
			return "", ctx.Err()
		}
	}
	return p.file(s, "IM", "JPG", func(w io.Writer) error { return jpeg.Encode(w, img, &jpeg.Options{Quality: 85}) })
}

// close writes the pages themselves.
func (p *pages) close(leftOut int) error {
	type page struct {
		Words   pageWords
		Series  []*pageSeries
		One     *pageSeries
		LeftOut int
	}
	write := func(name, form string, x page) error {
		w, err := p.to.Create(name)
		if err != nil {
			return err
		}
		if err := pageForms.ExecuteTemplate(w, form, x); err != nil {
			_ = w.Close()
			return err
		}
		return w.Close()
	}

	for _, s := range p.series {
		if err := write("VIEW/"+s.Page, "series", page{Words: p.words, One: s}); err != nil {
			return err
		}
	}
	if err := write("INDEX.HTM", "index", page{Words: p.words, Series: p.series, LeftOut: leftOut}); err != nil {
		return err
	}
	w, err := p.to.Create("README.TXT")
	if err != nil {
		return err
	}
	if _, err := io.WriteString(w, p.words.ReadMe); err != nil {
		_ = w.Close()
		return err
	}
	return w.Close()
}

var pageForms = template.Must(template.New("").Parse(`{{define "head"}}<!DOCTYPE html>
<html lang="{{.Words.Language}}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{{.Words.Title}}</title>
<style>body{font:16px/1.5 system-ui,sans-serif;margin:1.5rem;background:#111;color:#eee}a{color:#6dd}img{max-width:100%;background:#000}
ul{list-style:none;padding:0}li{margin:0 0 1.5rem}figure{margin:0 0 1rem}p.n{color:#fd7}</style></head><body>
<p class="n">{{.Words.Notice}}</p>{{end}}
{{define "index"}}{{template "head" .}}{{$w := .Words}}<h1>{{.Words.Title}}</h1><ul>{{range .Series}}
<li><h2><a href="VIEW/{{.Page}}">{{if .Name}}{{.Name}}{{else}}{{.Modality}}{{end}}</a></h2>
<p>{{.Patient}} {{.PatientID}} {{.Birth}}<br>{{.Date}} {{.Study}} {{.Modality}}, {{len .Items}} {{$w.Objects}}</p>
{{with .Cover}}<img src="VIEW/{{.}}" alt="" width="160">{{end}}</li>{{end}}</ul>
{{if .LeftOut}}<p class="n">{{.LeftOut}} {{.Words.LeftOut}}</p>{{end}}</body></html>
{{end}}
{{define "series"}}{{template "head" .}}{{$w := .Words}}{{with .One}}<p><a href="../INDEX.HTM">{{$w.Back}}</a></p>
<h1>{{if .Name}}{{.Name}}{{else}}{{.Modality}}{{end}}</h1><p>{{.Patient}} {{.PatientID}} {{.Birth}}<br>{{.Date}} {{.Study}}</p>
<ul>{{range .Items}}<li>{{range .Pictures}}<figure><img src="{{.}}" alt="" loading="lazy"></figure>{{end}}
{{if .More}}<p>{{.More}} {{$w.More}}</p>{{end}}{{if .Document}}<p><a href="{{.Document}}">{{$w.Document}}</a></p>{{end}}
<p>{{.Number}} <a href="{{.File}}">{{$w.File}}</a></p></li>{{end}}</ul>{{end}}</body></html>
{{end}}`))
