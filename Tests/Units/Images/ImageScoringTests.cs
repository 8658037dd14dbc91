using Microsoft.ML;
using Microsoft.ML.Data;
using MLExtensions.Models;

namespace MLExtensions.Tests.Images;

/// <summary>A model takes a column of images as its features, and still does when it was saved and loaded.</summary>
[TestClass]
[TestCategory("Heart")]
public sealed class ImageScoringTests
{
    private const int Pixels = Picture.Height * Picture.Width;

    [TestMethod]
    [DataRow(Picture.Values)]
    [DataRow(Pixels)]
    public void Blocks_ScoreAsRowsDo(int width)
    {
        var ml = new MLContext(1);
        var data = Picture.View(ml, 100);
        using var model = CreateModel(ml, data.Schema, width);
        var scores = model.Transform(data).GetColumn<float>("Score").ToArray();
        using var engine = ml.Model.CreatePredictionEngine<Picture, Scored>(model, new PredictionEngineOptions { OwnsTransformer = false });
        for (var i = 0; i < scores.Length; i++)
            Assert.AreEqual(engine.Predict(new Picture { Image = Picture.Create(i) }).Score, scores[i], 1e-4f);
        Assert.IsGreaterThan(5, scores.Distinct().Count());
    }

    [TestMethod]
    public void VectorsAndImages_GiveTheSame()
    {
        var ml = new MLContext(1);
        var images = Picture.View(ml, 50);
        using var model = CreateModel(ml, images.Schema, Picture.Values);
        var vectors = ml.Transforms.ExtractPixels("Image", "Image").Fit(images).Transform(images);
        CollectionAssert.AreEqual(Scores(model.Transform(images)), Scores(model.Transform(vectors)));
        Assert.AreEqual(NumberDataViewType.Single, model.GetOutputSchema(images.Schema)["Score"].Type);
        Assert.AreEqual(NumberDataViewType.Single, ((ITransformer)model).GetOutputSchema(vectors.Schema)["Score"].Type);
        Assert.AreEqual(new VectorDataViewType(NumberDataViewType.Single, 3, 2, 3), model.FeatureColumnType);
    }

    [TestMethod]
    public void ImageColumn_IsStillThereAfterScoring()
    {
        var ml = new MLContext(1);
        var data = Picture.View(ml, 40);
        using var model = CreateModel(ml, data.Schema, Picture.Values);
        var scored = model.Transform(data);
        using var cursor = scored.GetRowCursor(scored.Schema);
        var getImage = cursor.GetGetter<MLImage>(scored.Schema["Image"]);
        var getScore = cursor.GetGetter<float>(scored.Schema["Score"]);
        var (image, score) = (default(MLImage)!, 0f);
        while (cursor.MoveNext())
        {
            getScore(ref score);
            getImage(ref image);
            Assert.AreEqual((byte)cursor.Position, image.Pixels[2]);
            Assert.IsTrue(float.IsFinite(score));
        }
    }

    [TestMethod]
    public void OtherSizes_AreRefused()
    {
        var ml = new MLContext(1);
        var data = Picture.View(ml, 1);
        using var model = CreateModel(ml, data.Schema, Picture.Values);
        var other = ml.Transforms.ResizeImages("Image", 5, 5).Fit(data).Transform(data);
        var message = Assert.Throws<ArgumentException>(() => model.Transform(other)).Message;
        Assert.Contains("75", message);
        Assert.Contains("18", message);
        Assert.Throws<ArgumentException>(() => model.GetOutputSchema(other.Schema));
    }

    [TestMethod]
    public void SavedModel_LoadsInAFreshProcess()
    {
        var ml = new MLContext(1);
        using var folder = new TemporaryFolder();
        using (var image = Picture.Create(3))
            image.Save(folder.File("a", "3.png"));
        var data = ml.Data.LoadFromImageFolder(folder.Path);
        var resize = ml.Transforms.ResizeImages("Image", Picture.Width, Picture.Height).Fit(data);
        var model = resize.Append(CreateModel(ml, resize.Transform(data).Schema, Picture.Values));
        var path = folder.File("model.zip");
        ml.Model.Save(model, data.Schema, path);
        var expected = Scores(model.Transform(data)).Single();
        ChildProcess.Run(ScoreSaved, path, folder.Path, expected.ToString("R")).AssertSuccess();
        model.Dispose();
    }

    private static void ScoreSaved(string[] args)
    {
        TestAssembly.InitializeTorch();
        var ml = new MLContext(1);
        var model = ml.Model.Load(args[0], out _);
        var data = ml.Data.LoadFromImageFolder(args[1]);
        Assert.AreEqual(float.Parse(args[2]), Scores(model.Transform(data)).Single());
        using var engine = ml.Model.CreatePredictionEngine<Picture, Scored>(model);
        Assert.AreEqual(float.Parse(args[2]), engine.Predict(new Picture { Image = Picture.Create(3) }).Score, 1e-4f);
    }

    private static float[] Scores(IDataView data) => data.GetColumn<float>("Score").ToArray();

    private static RegressionNetworkTransformer CreateModel(MLContext ml, DataViewSchema schema, int width)
    {
        var architecture = new MlpArchitecture { InputCount = width, OutputCount = 1, HiddenLayers = [new MlpLayer(4)] };
        var history = new TrainingHistory { Epochs = [], StopReason = StopReason.Epochs, Seed = 1, ThreadCount = 1, Device = "cpu", Precision = "Float32" };
        var parameters = new NetworkModelParameters(ml, architecture, new RegressionHead(0, 1), ImageSample.Randomized(architecture.CreateModule()), history);
        return new RegressionNetworkTransformer(ml, parameters, schema, "Image", null);
    }

    private sealed class Scored
    {
        public float Score { get; set; }
    }
}
