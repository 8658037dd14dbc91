using static MLExtensions.Snippets.SnippetContext;

namespace MLExtensions.Snippets;

/// <summary>Documents about saved models.</summary>
internal static class Servers
{
    public static void Prepare(Snippet snippet)
    {
        args = ServerProbe.Arguments;
        if (snippet.Has("cat.jpg"))
        {
            Images.Photos(snippet);
            Pictures.Write("cat.jpg", 40, 1);
            var options = new CnnMulticlassTrainer.Options
            {
                FeatureColumnName = "Image",
                Layers = [new ConvolutionLayer(2, 3), new GlobalAveragePoolingLayer(), new DenseLayer()],
                Epochs = 1,
            };
            model = Fit(train, ml.Transforms.ResizeImages("Image", 16, 16).Append(ml.MulticlassClassification.Trainers.Cnn(options)));
        }
        else if (snippet.Has("List<House>", "houses.csv"))
        {
            File.WriteAllLines("houses.csv", ["a,b,c,d,e,f,g,h,price", .. Enumerable.Range(1, 40).Select(i =>
                $"{i},2,{(i % 3 == 0 ? "" : "3")},{i % 4},5,6,{i % 7},8,{i % 5}")]);
            train = ml.Data.LoadFromTextFile("houses.csv", new TextLoader.Options
            {
                Separators = [','],
                HasHeader = true,
                MissingRealsAsNaNs = true,
                Columns = [new("Features", DataKind.Single, 0, 7), new("Label", DataKind.Single, 8)],
            });
            if (snippet.Has("List<House>"))
                model = ml.Transforms.ReplaceMissingValues("Features").Append(ml.Regression.Trainers.Mlp(epochs: 2)).Fit(train);
        }
        else if (snippet.Has("TransformerScope"))
        {
            (train, test) = (Tables.Labeled(60, 64, i => (uint)i % 3), Tables.Labeled(20, 64, i => (uint)i % 3));
        }
        else
        {
            train = snippet.Has("string PredictedLabel")
                ? Tables.Keyed(Tables.Labeled(60, 64, i => $"class {i % 3}"), "Label")
                : Tables.Classes(60, 64);
            var chain = Fit(train, ml.Transforms.NormalizeMeanVariance("Features").Append(ml.MulticlassClassification.Trainers.Mlp(epochs: 2)));
            // Of the columns that a request has.
            ml.Model.Save(chain, ml.Transforms.DropColumns("Label").Fit(train).Transform(train).Schema, "model.zip");
            if (snippet.Has("model.SetScoring", "(model,") && !snippet.Has("ml.Model.Load"))
                model = chain;
            else
                ((IDisposable)chain).Dispose();
        }
    }

    private static ITransformer Fit<T>(IDataView rows, IEstimator<T> estimator)
        where T : class, ITransformer =>
        new EstimatorChain<ITransformer>().Append((IEstimator<ITransformer>)estimator).Append(ml.Transforms.Conversion.MapKeyToValue("PredictedLabel")).Fit(rows);
}
